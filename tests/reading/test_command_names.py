"""The names in commands that a reader replaces are found, and nothing else."""

from __future__ import annotations

import pytest

from handbook.reading.command_names import find_command_names
from handbook.reading.source import read_source


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("```sh\nkubectl logs <pod> -n <name space>\n```", ("<pod>", "<name space>")),
        ("```console\n$ kubectl logs <pod>\n```", ("<pod>",)),
        ("```bash\nkubectl logs <b>\nkubectl logs <a>\nkubectl logs <b>\n```", ("<b>", "<a>")),
        ("Put the pod in place of `NAME`:\n\n```sh\nkubectl logs pod/NAME\n```", ("NAME",)),
        ("Replace\n`NAME_1`:\n\n```sh\necho NAME_1 <a>\n```", ("NAME_1", "<a>")),
        ("Use the id instead of `ID`.\n\n```sql\nSELECT 1 WHERE a = 'ID';\n```", ("ID",)),
        ("```sh\nkubectl logs NAME\n```", ()),
        ("Put it in place of `NAME`.\n\n```sh\necho $NAME ${NAME} MY_NAME NAMES\n```", ()),
        ('Put it in place of `NAME`.\n\n```sh\nNAME=$(x) && echo "$NAME"\n```', ()),
        ("Replace `name`.\n\n```sh\necho name\n```", ()),
        ("```sql\nSELECT 1 WHERE a <b AND c> d;\n```", ()),
        ("```sh\nsort <input >output\ncat <<END\nx\nEND\n```", ()),
        ("```\n<pod> is output\n```", ()),
        ("Delete `<pod>`.", ()),
    ],
)
def test_the_names_of_commands_are_found(text: str, names: tuple[str, ...]) -> None:
    source = read_source("runbooks/shop/a.md", f"# A\n\n{text}\n".encode())
    assert find_command_names(source.blocks) == names
