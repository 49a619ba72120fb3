import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A range of addresses: the first one and the length of the prefix. */
export type Cidr = readonly [Address, number];

/** `reason` reads as the end of "it is ...". `canBeOpened`: whether the operator's ranges could allow it. */
export type AddressVerdict = { blocked: false } | { blocked: true; reason: string; canBeOpened: boolean };

const maxUrlLength = 2048;

/**
 * No setting opens these: clouds hand out credentials there, several hosts would answer, or the range hides an IPv4
 * address in a way that cannot be judged.
 */
const neverOpened = [
  ...['169.254.0.0/16', 'fe80::/10'].map(closed('a link-local address')),
  ...['100.100.100.200/32', '168.63.129.16/32', '192.0.0.192/32'].map(closed("a cloud's metadata address")),
  ...['fd00:ec2::254/128', 'fd20:ce::254/128'].map(closed("a cloud's metadata address")),
  ...['0.0.0.0/8', '::/128'].map(closed('an unspecified address')),
  ...['224.0.0.0/4', 'ff00::/8'].map(closed('a multicast address')),
  ...['255.255.255.255/32'].map(closed('a broadcast address')),
  ...['2001::/32', '64:ff9b:1::/48', '::ffff:0:0:0/96'].map(closed('a translated address')),
];

const globalUnicast = ipaddr.parseCIDR('2000::/3');
const ipv4Compatible = ipaddr.parseCIDR('::/96');

const rangeNames: Record<string, string> = {
  loopback: 'a loopback address',
  private: 'a private address',
  uniqueLocal: 'a private address',
  carrierGradeNat: 'a carrier-grade NAT address',
  rfc6052: 'a translated address',
  '6to4': 'a translated address',
};

/**
 * Whether a webhook may be sent to this IP address. Only public unicast addresses may, and those inside `allowCidrs`.
 * An IPv4 address inside an IPv6 one is judged as what it is; opening a translator's range opens nothing behind it.
 */
export function addressVerdict(ip: string, allowCidrs: readonly Cidr[]): AddressVerdict {
  if (!ipaddr.isValid(ip)) return { blocked: true, reason: 'not an IP address', canBeOpened: false };
  return verdict(ipaddr.process(ip), allowCidrs);
}

/**
 * Why a webhook cannot be sent to this URL, in a sentence that says what to change, or null. A host given by name is
 * not looked up here: its addresses are judged when the connection is made. `insteadOfPassword`: where a password that
 * stands in the URL belongs.
 */
export function webhookUrlProblem(
  url: string,
  allowCidrs: readonly Cidr[],
  insteadOfPassword = 'send them in webhook_headers (Authorization)',
): string | null {
  if (url.length > maxUrlLength) return `Shorten the URL to at most ${maxUrlLength} characters.`;
  if (/[\s\p{C}]/u.test(url)) return 'Remove the spaces, line breaks and invisible characters from the URL.';
  if (!URL.canParse(url)) return 'Write a full URL, such as https://example.com/hooks/dbt.';

  const { protocol, username, password, hostname, hash } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') return 'Start the URL with https:// or http://.';
  if (username !== '' || password !== '') {
    return `Remove the user name and password from the URL: ${insteadOfPassword}.`;
  }
  if (hash !== '') return 'Remove the part of the URL from # on: it is never sent.';

  const ip = literalAddress(hostname);
  if (ip === null) return null;
  const judged = addressVerdict(ip, allowCidrs);
  return judged.blocked ? blockedSentence(judged) : null;
}

/** The sentence a user reads about a blocked address. It names no address: the name may be of somebody else's host. */
export function blockedSentence(judged: { reason: string; canBeOpened: boolean }): string {
  const remedy = judged.canBeOpened
    ? 'Use a public host, or ask the operator to open its range with DCTL_WEBHOOK_ALLOW_CIDRS.'
    : 'Use another host: no setting opens this one.';
  return `Webhooks are not sent to this host: it is ${judged.reason}. ${remedy}`;
}

/** The IP address a URL's host stands for without a look-up, or null for a name. `hostname`: as WHATWG URL gives it. */
export function literalAddress(hostname: string): string | null {
  if (hostname.startsWith('[')) return hostname.slice(1, -1);
  if (ipaddr.IPv4.isValidFourPartDecimal(hostname)) return hostname;
  return /(^|\.)localhost\.?$/i.test(hostname) ? '127.0.0.1' : null;
}

/** Whether an IP address is in one of the ranges. An IPv4 address inside an IPv6 one counts as what it is. */
export function isWithin(ip: string, cidrs: readonly Cidr[]): boolean {
  return ipaddr.isValid(ip) && cidrs.some((cidr) => contains(cidr, ipaddr.process(ip)));
}

/** What stands for one caller where tries are counted: an IPv4 address, or the /64 that an IPv6 host chooses from. */
export function callerNetwork(ip: string): string {
  if (!ipaddr.isValid(ip)) return ip;
  const address = ipaddr.process(ip);
  return address.kind() === 'ipv4'
    ? address.toString()
    : new ipaddr.IPv6([
        ...address.toByteArray().slice(0, 8),
        ...Array.from({ length: 8 }, () => 0),
      ]).toString();
}

/** Reads `10.0.0.0/8, fd12::/16, 192.0.2.7`. Throws an Error whose message says which entry to change and how. */
export function parseCidrs(text: string): Cidr[] {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== '');
  return entries.map(parseCidr);
}

function verdict(address: Address, allowCidrs: readonly Cidr[]): AddressVerdict {
  const never = neverOpened.find(({ cidr }) => contains(cidr, address));
  if (never) return { blocked: true, reason: never.reason, canBeOpened: false };

  const inner = embeddedIpv4(address);
  const judgedInner = inner && verdict(inner, allowCidrs);
  if (judgedInner?.blocked) return judgedInner;

  if (allowCidrs.some((cidr) => contains(cidr, address)) || isPublic(address)) return { blocked: false };
  return { blocked: true, reason: rangeNames[address.range()] ?? 'a reserved address', canBeOpened: true };
}

function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || contains(globalUnicast, address);
}

/** The IPv4 host that packets to this IPv6 address reach: through NAT64, 6to4 or the old IPv4-compatible form. */
function embeddedIpv4(address: Address): ipaddr.IPv4 | null {
  if (address.kind() === 'ipv4' || address.range() === 'loopback') return null;
  const bytes = address.toByteArray();
  if (address.range() === '6to4') return new ipaddr.IPv4(bytes.slice(2, 6));
  const endsInIpv4 = address.range() === 'rfc6052' || contains(ipv4Compatible, address);
  return endsInIpv4 ? new ipaddr.IPv4(bytes.slice(12)) : null;
}

function contains(cidr: Cidr, address: Address): boolean {
  return cidr[0].kind() === address.kind() && address.match(cidr[0], cidr[1]);
}

function closed(reason: string): (cidr: string) => { cidr: Cidr; reason: string } {
  return (cidr) => ({ cidr: ipaddr.parseCIDR(cidr), reason });
}

function parseCidr(entry: string): Cidr {
  const isIpv4 = !entry.includes(':');
  const text = entry.includes('/') ? entry : `${entry}/${isIpv4 ? 32 : 128}`;
  const isValid = isIpv4 ? ipaddr.IPv4.isValidCIDRFourPartDecimal(text) : ipaddr.IPv6.isValidCIDR(text);
  if (!isValid)
    throw new Error(`"${entry}" is not a range of addresses: write it like 10.0.0.0/8 or fd12::/16.`);

  const [address, prefixLength] = ipaddr.parseCIDR(text);
  if (contains(ipaddr.parseCIDR('::ffff:0:0/96'), address)) {
    throw new Error(`"${entry}" is an IPv4 range in IPv6 form: write it like 10.0.0.0/8.`);
  }
  const family = isIpv4 ? ipaddr.IPv4 : ipaddr.IPv6;
  const first = family.networkAddressFromCIDR(text).toString();
  if (first !== address.toString()) {
    throw new Error(`"${entry}" does not start at its first address: write ${first}/${prefixLength}.`);
  }
  return [address, prefixLength];
}
