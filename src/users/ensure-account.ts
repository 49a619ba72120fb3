import type { Transaction } from '../db.ts';
import { hashPassword, newPassword } from './password.ts';
import { getUserByEmail, insertUser } from './store.ts';

export interface PreparedPassword {
  hash: string;
  /** Its text, where it was made here. */
  generated: string | undefined;
}

/** To be called before the transaction begins: hashing takes its time on purpose. */
export async function preparePassword(wanted?: string): Promise<PreparedPassword> {
  const generated = wanted === undefined ? newPassword() : undefined;
  return { hash: await hashPassword(wanted ?? generated ?? ''), generated };
}

export interface Account {
  userId: string;
  isNew: boolean;
  /** Only where one was made for them just now. */
  password: string | undefined;
}

/**
 * The account of an e-mail address, which is made here when the server does not know it. The password of an account
 * that is known is neither told nor touched.
 */
export async function ensureAccount(
  tx: Transaction,
  email: string,
  prepared: PreparedPassword,
  { isServerAdmin = false } = {},
): Promise<Account> {
  const isNew = await insertUser(tx, { email, passwordHash: prepared.hash, isServerAdmin });
  const { id } = await getUserByEmail(tx, email);
  return { userId: id, isNew, password: isNew ? prepared.generated : undefined };
}
