import * as openId from 'openid-client';
import { z } from 'zod';
import type { Config } from '../config.ts';
import type { Context } from '../context.ts';
import { AppError } from '../errors.ts';

/** Where a provider sends people back to: it has to know this address. */
export const openIdCallback = '/api/v1/session/open-id/callback';

const timeoutSeconds = 10;
/** What a provider says of itself is asked for again after so long. */
const knownForMs = 3_600_000;
/** Whoever is at the provider may take so long to come back. */
const signInMs = 600_000;

/** Who somebody is, as the provider says. */
export interface Identity {
  issuer: string;
  /** Never another person's, whatever becomes of e-mail addresses. */
  subject: string;
  email: string | undefined;
  isEmailVerified: boolean;
}

/** Why nobody was signed in. The console has a sentence for each. */
export type OpenIdRefusal = 'again' | 'provider' | 'unverified' | 'unknown';

/** Signing in through another server, by OpenID Connect: authorization code with PKCE, state and nonce. */
export interface OpenIdProvider {
  /** What people know it by. */
  name: string;
  /** Where to send a browser, and what it keeps meanwhile, sealed. `to`: where in the console it wants to go. */
  begin(to: string): Promise<{ url: string; kept: string }>;
  /** `query`: what the provider sent the browser back with. A refusal, where it is no good. */
  end(
    query: Record<string, string>,
    kept: string | undefined,
  ): Promise<{ identity: Identity; to: string } | { refused: OpenIdRefusal }>;
}

/** Null where the settings name none. */
export function openOpenIdProvider({
  config,
  secrets,
  log,
}: Pick<Context, 'config' | 'secrets' | 'log'>): OpenIdProvider | null {
  const settings = settingsOf(config);
  if (settings === null) return null;
  const { issuer, clientId, clientSecret, publicUrl } = settings;
  const name = issuer.replace(/^https?:\/\/([^/]*).*$/, '$1');
  const redirectUri = `${publicUrl}${openIdCallback}`;
  let known: { provider: Promise<openId.Configuration>; until: number } | undefined;

  /** Asked for once, by however many come at the same time; again after a failure. */
  function provider(): Promise<openId.Configuration> {
    if (known !== undefined && known.until > Date.now()) return known.provider;
    const asked = openId.discovery(new URL(issuer), clientId, clientSecret, asItTakes(clientSecret), {
      timeout: timeoutSeconds,
      // The settings allow that on this machine alone.
      execute: issuer.startsWith('http:') ? [openId.allowInsecureRequests] : [],
    });
    const fresh = { provider: asked, until: Date.now() + knownForMs };
    known = fresh;
    asked.catch(() => {
      if (known === fresh) known = undefined;
    });
    return asked;
  }

  return {
    name,
    async begin(to) {
      const [state, nonce, verifier] = [
        openId.randomState(),
        openId.randomNonce(),
        openId.randomPKCECodeVerifier(),
      ];
      const configuration = await provider().catch((error: unknown) => {
        log.warn({ error }, 'the OpenID provider does not answer');
        throw new AppError('unavailable', `${name} does not answer: try again in a moment.`, {
          cause: error,
        });
      });
      const url = openId.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope: 'openid email',
        state,
        nonce,
        code_challenge: await openId.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
      const kept: z.input<typeof sealedState> = { state, nonce, verifier, to, until: Date.now() + signInMs };
      return { url: url.href, kept: secrets.seal(JSON.stringify(kept), place) };
    },
    async end(query, sealed) {
      const kept = openState(sealed);
      if (kept === undefined || kept.until < Date.now() || query['state'] !== kept.state)
        return { refused: 'again' };
      try {
        const configuration = await provider();
        const url = new URL(redirectUri);
        for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
        const tokens = await openId.authorizationCodeGrant(configuration, url, {
          expectedState: kept.state,
          expectedNonce: kept.nonce,
          pkceCodeVerifier: kept.verifier,
          idTokenExpected: true,
        });
        const told = tokens.claims();
        if (told === undefined) return { refused: 'provider' };
        const { email, email_verified: isVerified } =
          told['email'] === undefined
            ? await openId.fetchUserInfo(configuration, tokens.access_token, told.sub)
            : told;
        const identity: Identity = {
          issuer: told.iss,
          subject: told.sub,
          email: plainEmail(email),
          isEmailVerified: isVerified === true,
        };
        return { identity, to: kept.to };
      } catch (error) {
        // Whoever changed their mind at the provider comes back with an error too.
        const isTheirs = error instanceof openId.AuthorizationResponseError;
        if (!isTheirs) log.warn({ error: codeOf(error) }, 'signing in through the OpenID provider failed');
        return { refused: isTheirs ? 'again' : 'provider' };
      }
    },
  };

  function openState(sealed: string | undefined) {
    if (sealed === undefined) return undefined;
    try {
      return sealedState.parse(JSON.parse(secrets.open(sealed, place)));
    } catch {
      return undefined;
    }
  }
}

/**
 * In lower case, as the server keeps it. Undefined for one with letters beyond ASCII: some of them become others in lower
 * case, and would make somebody the owner of another's account.
 */
function plainEmail(told: unknown): string | undefined {
  const email = z.email().max(254).safeParse(told);
  return email.success ? email.data.toLowerCase() : undefined;
}

/** A secret goes in the header that every provider must know, but for those that say they do not. */
function asItTakes(clientSecret: string): openId.ClientAuth {
  return (server, ...rest) => {
    const ways = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const send = ways.includes('client_secret_basic') ? openId.ClientSecretBasic : openId.ClientSecretPost;
    send(clientSecret)(server, ...rest);
  };
}

const place = 'open-id:sign-in:state';

const sealedState = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  to: z.string(),
  until: z.number(),
});

function settingsOf(config: Config) {
  const {
    DCTL_OIDC_ISSUER: issuer,
    DCTL_OIDC_CLIENT_ID: clientId,
    DCTL_OIDC_CLIENT_SECRET: clientSecret,
    DCTL_PUBLIC_URL: publicUrl,
  } = config;
  if (issuer === undefined || clientId === undefined || clientSecret === undefined || publicUrl === undefined)
    return null;
  return { issuer, clientId, clientSecret, publicUrl };
}

/** Its message may hold what the provider answered: codes, tokens. */
function codeOf(error: unknown): string {
  const { name, code } = error as { name?: unknown; code?: unknown };
  return [name, code].filter((part) => typeof part === 'string').join(' ');
}
