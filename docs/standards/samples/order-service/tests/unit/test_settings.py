"""Settings: what must be set, and what must not be seen."""

import pytest
from pydantic import ValidationError

from order_service.settings import Settings
from tests.unit.fakes import make_settings


def test_settings_without_required_variables_name_them() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(_env_file=None)

    missing = {error["loc"] for error in caught.value.errors() if error["type"] == "missing"}
    assert missing == {
        ("database_url",),
        ("redis_url",),
        ("stripe_secret_key",),
        ("token_issuer",),
        ("token_keys",),
    }


def test_settings_from_environment_take_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://localhost/orders")
    monkeypatch.setenv("REDIS_URL", "redis://localhost/0")
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_example")  # pragma: allowlist secret
    monkeypatch.setenv("TOKEN_ISSUER", "https://login.example")
    monkeypatch.setenv("TOKEN_KEYS", '{"keys": []}')
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("FF_NEW_CHECKOUT_FLOW", "true")

    settings = Settings(_env_file=None)

    assert settings.redis_url.get_secret_value() == "redis://localhost/0"
    assert settings.log_level == "DEBUG"
    assert settings.flags.new_checkout_flow


def test_settings_shown_hide_every_secret() -> None:
    settings = make_settings()

    shown = repr(settings) + str(settings)

    assert "sk_test_example" not in shown
    assert "user:example" not in shown
    assert "SecretStr('**********')" in shown
