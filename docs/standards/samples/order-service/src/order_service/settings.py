"""Settings: everything that differs between deployments comes from the environment."""

from typing import Literal

from pydantic import Field, HttpUrl, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from order_service.flags import FeatureFlags


class Settings(BaseSettings):
    """One field for each environment variable; what has no default must be set."""

    # The file is for development alone and is never committed; real variables win over it.
    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    # SecretStr keeps the values out of logs, tracebacks and repr().
    database_url: SecretStr
    redis_url: SecretStr
    stripe_secret_key: SecretStr

    # Who signs the tokens of callers, and the public keys as a JSON Web Key Set.
    token_issuer: str
    token_keys: str

    catalog_url: HttpUrl = HttpUrl("http://catalog-service")
    inventory_url: HttpUrl = HttpUrl("http://inventory-service")
    stripe_url: HttpUrl = HttpUrl("https://api.stripe.com")
    smtp_host: str = "localhost"
    smtp_port: int = 25

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    debug: bool = False
    git_sha: str = "unknown"
    host: str = "0.0.0.0"  # noqa: S104 - a container listens on every address of its own
    port: int = 8000
    # During a rollout two versions run: twice the most pods, times this, must fit the server.
    pool_size: int = Field(default=8, ge=1)
    otel_exporter_otlp_endpoint: HttpUrl | None = None

    flags: FeatureFlags = Field(default_factory=FeatureFlags)
