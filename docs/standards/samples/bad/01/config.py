DATABASE_URL = "postgresql://orders:not-a-secret@db:5432/orders"  # pragma: allowlist secret
STRIPE_SECRET_KEY = "sk_live_not_a_real_key"  # pragma: allowlist secret
