ALTER TABLE jobs
  -- Encrypted `whsec_...` text: what the secret was before it was changed. Webhooks are signed with both until then.
  ADD COLUMN webhook_old_secret text,
  ADD COLUMN webhook_old_secret_until timestamptz(3),
  ADD CHECK ((webhook_old_secret IS NULL) = (webhook_old_secret_until IS NULL));

ALTER TABLE deliveries
  -- Encrypted, as the job's; NULL: it is signed with one secret.
  ADD COLUMN old_secret text;

-- Whoever has the link of one becomes a member, with an account of their own.
CREATE TABLE invitations (
  id text PRIMARY KEY,
  organization_id text NOT NULL REFERENCES organizations (id),
  -- NULL: whoever comes says theirs. That is the first start's.
  email text,
  role text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
  makes_server_admin boolean NOT NULL DEFAULT false,
  -- Keyed: of what the link ends in.
  token_hash bytea NOT NULL UNIQUE,
  created_by text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  expires_at timestamptz(3) NOT NULL,
  accepted_at timestamptz(3),
  accepted_by text REFERENCES users (id),
  revoked_at timestamptz(3)
);
CREATE INDEX invitations_of_organization ON invitations (organization_id, created_at, id)
  WHERE accepted_at IS NULL AND revoked_at IS NULL;
-- One that is open for each e-mail address, and one that is for nobody in particular.
CREATE UNIQUE INDEX invitations_one_open ON invitations (organization_id, COALESCE(email, ''))
  WHERE accepted_at IS NULL AND revoked_at IS NULL;

-- Who signs in through an OpenID provider.
CREATE TABLE user_identities (
  issuer text NOT NULL,
  subject text NOT NULL,
  user_id text NOT NULL REFERENCES users (id),
  created_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (issuer, subject)
);
CREATE INDEX user_identities_of_user ON user_identities (user_id);
