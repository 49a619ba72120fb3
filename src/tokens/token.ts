import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const randomLength = 30;
const checkLength = 6;
const form = new RegExp(`^dctl_[${alphabet}]{${randomLength + checkLength}}$`);

/** `dctl_`, 30 random base62 characters (178 bits), and their CRC32 in 6 more, so that a typo needs no look-up. */
export function newToken(): string {
  const random = Array.from({ length: randomLength }, () => alphabet[randomInt(alphabet.length)]).join('');
  return `dctl_${random}${checkOf(random)}`;
}

export function isWellFormedToken(text: string): boolean {
  if (!form.test(text)) return false;
  const random = text.slice('dctl_'.length, -checkLength);
  return text.endsWith(checkOf(random));
}

function checkOf(random: string): string {
  let rest = crc32(random);
  let check = '';
  for (let digit = 0; digit < checkLength; digit += 1) {
    check = alphabet[rest % alphabet.length] + check;
    rest = Math.floor(rest / alphabet.length);
  }
  return check;
}
