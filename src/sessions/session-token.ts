import jwt from 'jsonwebtoken';
import { z } from 'zod';
import type { Secrets } from '../secrets.ts';

export const sessionSeconds = 12 * 60 * 60;

/** Whose session it is. It is over when the user's session version has been raised since. */
export interface Session {
  userId: string;
  sessionVersion: number;
  expiresAt: Date;
}

const algorithm = 'HS256';
const issuer = 'dctl';
const audience = 'dctl session';

const claims = z.object({ sub: z.string().min(1), session_version: z.int(), exp: z.int() });

/** The text that a session's cookie holds: a JWT, good for twelve hours. */
export function signSession(
  { sessionKeys }: Secrets,
  { userId, sessionVersion }: Pick<Session, 'userId' | 'sessionVersion'>,
): { token: string; expiresAt: Date } {
  const expiresAt = Math.floor(Date.now() / 1000) + sessionSeconds;
  const [key] = sessionKeys;
  if (key === undefined) throw new Error('there is no key to sign sessions with');
  const token = jwt.sign({ session_version: sessionVersion, exp: expiresAt }, key, {
    algorithm,
    issuer,
    audience,
    subject: userId,
  });
  return { token, expiresAt: new Date(expiresAt * 1000) };
}

/** Undefined for whatever was not signed here, for sessions, and is not over. */
export function readSession({ sessionKeys }: Secrets, token: string): Session | undefined {
  for (const key of sessionKeys) {
    try {
      const verified = jwt.verify(token, key, {
        algorithms: [algorithm],
        issuer,
        audience,
        maxAge: sessionSeconds,
      });
      // jsonwebtoken takes a token without `exp`; the claims must have one.
      const { sub, session_version: sessionVersion, exp } = claims.parse(verified);
      return { userId: sub, sessionVersion, expiresAt: new Date(exp * 1000) };
    } catch (error) {
      if (!(error instanceof jwt.JsonWebTokenError) && !(error instanceof z.ZodError)) throw error;
    }
  }
  return undefined;
}
