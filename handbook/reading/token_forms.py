r"""The forms of tokens: keys and tokens with a fixed prefix or another unmistakable form.

Sources are the documentation of the providers, and the public rules of GitHub secret scanning,
Gitleaks and detect-secrets. A form must not match a hash, a UUID or a name, so each one has a
prefix that other texts do not have, and a length.

Most patterns begin with fixed characters, because a search for fixed characters is fast. Each
repetition has a limit, so that the time of a search grows only with the length of the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_HEX: Final = "[0-9a-f]"
_WORD: Final = "[A-Za-z0-9]"
_URL: Final = "[A-Za-z0-9_-]"
_BASE64: Final = "[A-Za-z0-9+/]"
_END: Final = "(?![A-Za-z0-9_-])"


@dataclass(frozen=True, slots=True)
class TokenForm:
    """A kind of token, with the pattern of the whole token.

    `signs` are texts of which every token of this form contains at least one. Without signs, every
    token contains 32 letters and digits in a row.
    """

    name: str
    pattern: re.Pattern[str]
    signs: tuple[str, ...]


def _token(name: str, prefix: str, rest: str, *signs: str, has_run: bool = False) -> TokenForm:
    r"""Return a form with a prefix that follows no letter and no digit.

    The prefix can follow `\n`, `\r` or `\t`, as in a string of JSON. All texts that the prefix
    matches have the same length.
    """
    start = rf"(?:(?<![A-Za-z0-9]{prefix})|(?<=\\[nrt]{prefix}))"
    pattern = re.compile(f"{prefix}{start}{rest}")
    return TokenForm(name, pattern, () if has_run else signs or (prefix,))


TOKEN_FORMS: Final = (
    # Cloud providers
    _token(
        "AWS access key",
        "A(?:3T[A-Z0-9]|BIA|CCA|KIA|SIA)",
        "[0-9A-Z]{16}(?![0-9A-Za-z])",
        "A3T",
        "ABIA",
        "ACCA",
        "AKIA",
        "ASIA",
    ),
    _token("AWS Bedrock key", "ABSK", rf"{_BASE64}{{100,300}}={{0,2}}"),
    _token("Azure storage key", "AccountKey=", rf"{_BASE64}{{86}}=="),
    TokenForm(
        "Azure client secret",
        re.compile(rf"(?<![\w~.-])[\w~.]{{3}}[0-9]Q~[\w~.-]{{31,34}}{_END}", re.ASCII),
        ("Q~",),
    ),
    _token("Google API key", "AIza", rf"{_URL}{{35}}{_END}"),
    _token("Google client secret", "GOCSPX-", rf"{_URL}{{28}}{_END}"),
    _token("Google access token", r"ya29\.", rf"{_URL}{{60,500}}", "ya29."),
    _token("Alibaba access key", "LTAI", rf"{_WORD}{{17,21}}{_END}"),
    _token("DigitalOcean token", "do[opr]_v1_", rf"{_HEX}{{64}}{_END}", has_run=True),
    _token("Heroku key", "HRKU-AA", rf"{_URL}{{58}}{_END}"),
    _token("Cloudflare origin key", r"v1\.0-", rf"{_HEX}{{24}}-{_HEX}{{146}}(?!{_HEX})", "v1.0-"),
    _token("Fly token", "fm2_", rf"{_BASE64}{{100,500}}"),
    # Code hosts and registries
    _token(
        "GitHub token",
        "gh[oprsu]_",
        r"[A-Za-z0-9_]{36,255}",
        "gho_",
        "ghp_",
        "ghr_",
        "ghs_",
        "ghu_",
    ),
    _token("GitHub token", "github_pat_", rf"{_WORD}{{22}}_{_WORD}{{59}}"),
    _token(
        "GitLab token",
        "gl(?:pat|ptt)-",
        rf"{_URL}{{20,300}}(?:\.[0-9a-z]{{2}}\.[0-9a-z]{{9}})?",
        "glpat-",
        "glptt-",
    ),
    _token("GitLab token", "gl(?:dt|ft|rt)-", rf"{_URL}{{20,50}}", "gldt-", "glft-", "glrt-"),
    _token("GitLab token", "glsoat-", rf"{_URL}{{20,50}}"),
    _token("GitLab token", "gl(?:cbt|imt)-", rf"{_URL}{{20,80}}", "glcbt-", "glimt-"),
    _token("GitLab token", "glagent-", rf"{_URL}{{50,1024}}"),
    _token("GitLab token", "GR1348941", rf"{_URL}{{20,50}}"),
    _token("Bitbucket password", "ATBB", rf"{_WORD}{{32}}{_END}"),
    _token("Atlassian token", "AT[AC]TT3xFfGF", rf"{_URL}{{50,300}}=?[0-9A-F]{{0,8}}", "TT3xFfGF"),
    _token("npm token", "npm_", rf"{_WORD}{{36}}{_END}"),
    TokenForm(
        "npm token",
        re.compile(r"_authToken\s{0,9}=\s{0,9}[\"']?(?:npm_\w{9,200}|[A-Fa-f0-9-]{36})"),
        ("_authToken",),
    ),
    _token("PyPI token", "pypi-AgE", rf"(?:IcHlwaS5vcmc|NdGVzdC5weXBpLm9yZw){_URL}{{70,300}}"),
    _token("RubyGems key", "rubygems_", rf"{_HEX}{{48}}{_END}", has_run=True),
    _token("crates.io token", "cio", rf"{_WORD}{{32}}{_END}", has_run=True),
    _token("NuGet key", "oy2", rf"(?=[a-z]{{0,42}}[0-9])[a-z0-9]{{43}}{_END}"),
    _token("Docker Hub token", "dckr_[op]at_", rf"{_URL}{{27,50}}", "dckr_"),
    _token("Artifactory key", "AKCp", rf"{_WORD}{{69}}{_END}"),
    # Operations
    _token("Vault token", r"hv[bs]\.", rf"{_URL}{{90,300}}", "hvb.", "hvs."),
    TokenForm(
        "Terraform token",
        re.compile(rf"(?<![A-Za-z0-9]){_WORD}{{14}}\.atlasv1\.{_URL}{{60,70}}"),
        (".atlasv1.",),
    ),
    _token("Pulumi token", "pul-", rf"{_HEX}{{40}}{_END}", has_run=True),
    _token(
        "Doppler token",
        r"dp\.(?:ct|pt|sa)\.",
        rf"{_WORD}{{40,44}}{_END}",
        "dp.ct.",
        "dp.pt.",
        "dp.sa.",
    ),
    _token("Grafana token", "glsa_", rf"{_WORD}{{32}}_[0-9A-Fa-f]{{8}}"),
    _token("Grafana token", "glc_", rf"{_BASE64}{{32,400}}={{0,2}}"),
    _token("New Relic key", "NRAK-", rf"[A-Z0-9]{{27}}{_END}"),
    _token("Dynatrace token", r"dt0[a-z]01\.", r"[A-Z0-9]{24}\.[A-Z0-9]{64}", has_run=True),
    _token("Sentry token", "sntryu_", rf"{_HEX}{{64}}"),
    _token("Sentry token", "sntrys_", rf"{_URL}{{80,400}}"),
    _token("Sonar token", "sq[apu]_", rf"{_HEX}{{40}}{_END}", has_run=True),
    _token(
        "CircleCI token", "CCIP(?:AT|RJ)_", rf"{_WORD}{{22}}_{_HEX}{{40}}", "CCIPAT_", "CCIPRJ_"
    ),
    _token("Buildkite token", "bkua_", rf"{_HEX}{{40}}{_END}", has_run=True),
    _token(
        "Tailscale key",
        "tskey-",
        rf"(?:api|auth|client|scim)-{_WORD}{{8,24}}-{_WORD}{{16,64}}{_END}",
    ),
    _token("Databricks token", "dapi", rf"{_HEX}{{32}}(?:-[0-9])?{_END}"),
    _token("PlanetScale password", "pscale_", rf"(?:oauth|pw|tkn)_{_URL}{{32,64}}"),
    _token("Supabase token", "sbp_", rf"{_HEX}{{40}}{_END}", has_run=True),
    _token("1Password token", "ops_eyJ", rf"{_URL}{{250,900}}"),
    _token("age key", "AGE-SECRET-KEY-1", "[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    # Messages and work
    _token(
        "Slack token",
        "xox",
        r"[abceoprs](?:\.xox[bp])?-(?:[0-9]{1,20}-){1,4}[A-Za-z0-9]{8,200}",
    ),
    _token("Slack token", "xapp-", rf"[0-9]-[A-Z0-9]{{8,16}}-[0-9]{{8,16}}-{_HEX}{{64}}"),
    TokenForm(
        "Slack webhook",
        re.compile(
            r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Z][A-Za-z0-9_]{5,20}/[A-Za-z0-9_]{5,30}/[A-Za-z0-9_]{10,40}"
        ),
        ("hooks.slack.com",),
    ),
    TokenForm(
        "Discord webhook",
        re.compile(rf"discord(?:app)?\.com/api/webhooks/[0-9]{{17,20}}/{_URL}{{60,80}}"),
        ("/api/webhooks/",),
    ),
    TokenForm(
        "Teams webhook",
        re.compile(
            rf"\.webhook\.office\.com/webhookb2/[0-9a-f-]{{36}}@[0-9a-f-]{{36}}"
            rf"/IncomingWebhook/{_HEX}{{32}}/[0-9a-f-]{{36}}"
        ),
        ("/webhookb2/",),
    ),
    TokenForm(
        "Telegram token",
        re.compile(rf"(?<![0-9A-Za-z])[0-9]{{8,10}}:AA{_URL}{{33}}{_END}"),
        (":AA",),
    ),
    _token("Notion token", "ntn_", rf"{_WORD}{{43,50}}{_END}"),
    _token("Linear key", "lin_api_", rf"{_WORD}{{40}}{_END}"),
    _token("Airtable token", "pat", rf"{_WORD}{{14}}\.{_HEX}{{64}}{_END}", has_run=True),
    _token("Figma token", "fig[dor]_", rf"{_URL}{{40,60}}", "figd_", "figo_", "figr_"),
    _token("Postman key", "PMAK-", rf"{_HEX}{{24}}-{_HEX}{{34}}{_END}"),
    # Payment and mail
    _token("Stripe key", "[rs]k_live_", rf"{_WORD}{{24,200}}", "k_live_"),
    _token("Stripe key", "whsec_", rf"{_BASE64}{{32,80}}"),
    _token("Square token", "sq0(?:csp|atp)-", rf"{_URL}{{22,43}}", "sq0"),
    _token(
        "Shopify token",
        "shp(?:at|ca|pa|ss)_",
        "[0-9A-Fa-f]{32}",
        "shpat_",
        "shpca_",
        "shppa_",
        "shpss_",
    ),
    _token("SendGrid key", r"SG\.", rf"{_URL}{{22}}\.{_URL}{{43}}", "SG."),
    TokenForm(
        "Mailgun key",
        re.compile(rf"(?i:mailgun)[^\n]{{0,60}}?(?<![A-Za-z0-9])key-{_HEX}{{32}}(?![0-9a-f])"),
        (),
    ),
    TokenForm(
        "Mailchimp key",
        re.compile(rf"(?<![0-9A-Za-z]){_HEX}{{32}}-us[0-9]{{1,2}}(?![0-9A-Za-z-])"),
        (),
    ),
    # Models
    TokenForm(
        "OpenAI key",
        re.compile(r"sk-(?<![\w-]sk-)[\w-]{20,200}T3BlbkFJ[A-Za-z0-9_-]{20,200}", re.ASCII),
        ("T3BlbkFJ",),
    ),
    _token("Anthropic key", "sk-ant-", rf"[a-z]{{3,8}}[0-9]{{2}}-{_URL}{{80,120}}"),
    _token("Hugging Face token", "hf_", rf"{_WORD}{{34}}{_END}"),
    _token("Groq key", "gsk_", rf"{_WORD}{{52}}{_END}", has_run=True),
    _token("Replicate token", "r8_", rf"{_WORD}{{37}}{_END}"),
    TokenForm(
        "JSON Web Token",
        re.compile(
            rf"eyJ(?<![A-Za-z0-9_.-]eyJ){_URL}{{10,400}}\.eyJ{_URL}{{10,2000}}\.{_URL}{{20,800}}"
        ),
        ("eyJ",),
    ),
)
"""The forms of all tokens."""
