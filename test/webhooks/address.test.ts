import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addressVerdict, parseCidrs, webhookUrlProblem } from '../../src/addresses.ts';

const everything = parseCidrs('0.0.0.0/0, ::/0');

test.each([
  ['8.8.8.8', 'a public resolver'],
  ['9.255.255.255', 'just below 10/8'],
  ['11.0.0.0', 'just above 10/8'],
  ['100.63.255.254', 'just below carrier-grade NAT'],
  ['100.128.0.1', 'just above carrier-grade NAT'],
  ['126.255.255.255', 'just below loopback'],
  ['128.0.0.1', 'just above loopback'],
  ['169.253.255.255', 'just below link-local'],
  ['169.255.0.0', 'just above link-local'],
  ['172.15.255.255', 'just below 172.16/12'],
  ['172.32.0.0', 'just above 172.16/12'],
  ['191.255.255.255', 'just below 192.0.0/24'],
  ['192.0.1.1', 'between 192.0.0/24 and TEST-NET-1'],
  ['192.88.98.255', 'just below the 6to4 relays'],
  ['192.167.255.255', 'just below 192.168/16'],
  ['192.169.0.0', 'just above 192.168/16'],
  ['198.17.255.255', 'just below the benchmark range'],
  ['198.20.0.0', 'just above the benchmark range'],
  ['203.0.112.255', 'just below TEST-NET-3'],
  ['203.0.114.0', 'just above TEST-NET-3'],
  ['223.255.255.255', 'just below multicast'],
  ['2000::1', 'the start of global unicast'],
  ['2001:200::1', 'just above the IETF range'],
  ['2001:db7:ffff::1', 'just below documentation'],
  ['2001:db9::1', 'just above documentation'],
  ['2003::1', 'just above 6to4'],
  ['2606:4700:4700::1111', 'a public resolver'],
  ['3ffe:ffff::1', 'just below 3fff::/20'],
  ['3fff:1000::1', 'just above 3fff::/20'],
  ['::ffff:8.8.8.8', 'a public address in IPv4-mapped form'],
])('%s may be reached: %s', (ip) => {
  expect(addressVerdict(ip, [])).toEqual({ blocked: false });
});

test.each([
  ['0.0.0.0', 'an unspecified address'],
  ['0.255.255.255', 'an unspecified address'],
  ['10.0.0.0', 'a private address'],
  ['10.255.255.255', 'a private address'],
  ['100.64.0.0', 'a carrier-grade NAT address'],
  ['100.127.255.255', 'a carrier-grade NAT address'],
  ['127.0.0.1', 'a loopback address'],
  ['127.255.255.255', 'a loopback address'],
  ['169.254.0.0', 'a link-local address'],
  ['169.254.169.254', 'a link-local address'],
  ['168.63.129.16', "a cloud's metadata address"],
  ['172.16.0.0', 'a private address'],
  ['172.31.255.255', 'a private address'],
  ['192.0.0.1', 'a reserved address'],
  ['192.0.2.1', 'a reserved address'],
  ['192.88.99.1', 'a reserved address'],
  ['192.168.0.0', 'a private address'],
  ['192.168.255.255', 'a private address'],
  ['198.18.0.0', 'a reserved address'],
  ['198.19.255.255', 'a reserved address'],
  ['198.51.100.1', 'a reserved address'],
  ['203.0.113.1', 'a reserved address'],
  ['224.0.0.0', 'a multicast address'],
  ['239.255.255.255', 'a multicast address'],
  ['240.0.0.1', 'a reserved address'],
  ['255.255.255.255', 'a broadcast address'],
  ['::', 'an unspecified address'],
  ['::1', 'a loopback address'],
  ['::7f00:1', 'a loopback address'],
  ['::2:0:0:1', 'a reserved address'],
  ['::ffff:127.0.0.1', 'a loopback address'],
  ['::ffff:a9fe:a9fe', 'a link-local address'],
  ['::ffff:0:127.0.0.1', 'a translated address'],
  ['64:ff9b::8.8.8.8', 'a translated address'],
  ['64:ff9b::127.0.0.1', 'a loopback address'],
  ['64:ff9b:1::1', 'a translated address'],
  ['100::1', 'a reserved address'],
  ['2001::1', 'a translated address'],
  ['2001:2::1', 'a reserved address'],
  ['2001:20::1', 'a reserved address'],
  ['2001:1ff:ffff::1', 'a reserved address'],
  ['2001:db8::1', 'a reserved address'],
  ['2002:808:808::1', 'a translated address'],
  ['2002:7f00:1::1', 'a loopback address'],
  ['3fff::1', 'a reserved address'],
  ['3fff:fff:ffff::1', 'a reserved address'],
  ['4000::1', 'a reserved address'],
  ['5f00::1', 'a reserved address'],
  ['fc00::1', 'a private address'],
  ['fdff:ffff::1', 'a private address'],
  ['fe80::1', 'a link-local address'],
  ['febf:ffff::1', 'a link-local address'],
  ['fec0::1', 'a reserved address'],
  ['ff02::1', 'a multicast address'],
  ['fe80::1%eth0', 'a link-local address'],
  ['example.com', 'not an IP address'],
  ['', 'not an IP address'],
])('%s is blocked as %s', (ip, reason) => {
  expect(addressVerdict(ip, [])).toMatchObject({ blocked: true, reason });
});

test.each(['10.1.2.3', '127.0.0.1', '192.168.1.1', '100.64.1.1', '::1', 'fd12::5', '::ffff:10.1.2.3'])(
  'the operator can open %s',
  (ip) => {
    expect(addressVerdict(ip, everything)).toEqual({ blocked: false });
  },
);

test.each([
  '169.254.169.254',
  '::ffff:169.254.169.254',
  '64:ff9b::169.254.169.254',
  '2002:a9fe:a9fe::1',
  '::a9fe:a9fe',
  'fe80::1',
  'fd00:ec2::254',
  'fd20:ce::254',
  '100.100.100.200',
  '168.63.129.16',
  '0.0.0.0',
  '::ffff:0.0.0.0',
  '::',
  '224.0.0.1',
  'ff02::1',
  '255.255.255.255',
  '2001::1',
])('no setting opens %s', (ip) => {
  expect(addressVerdict(ip, everything)).toMatchObject({ blocked: true, canBeOpened: false });
});

test('opening one range opens no other, and opening NAT64 opens nothing private behind it', () => {
  expect(addressVerdict('10.2.0.0', parseCidrs('10.1.0.0/16')).blocked).toBe(true);
  expect(addressVerdict('fd12::1', parseCidrs('0.0.0.0/0')).blocked).toBe(true);
  expect(addressVerdict('64:ff9b::8.8.8.8', parseCidrs('64:ff9b::/96')).blocked).toBe(false);
  expect(addressVerdict('64:ff9b::10.0.0.1', parseCidrs('64:ff9b::/96')).blocked).toBe(true);
});

test('every IPv4 address is judged alike in its IPv4-mapped form', () => {
  fc.assert(
    fc.property(fc.ipV4(), (ip) => {
      expect(addressVerdict(`::ffff:${ip}`, [])).toEqual(addressVerdict(ip, []));
    }),
  );
});

test('no IPv6 address outside 2000::/3 is public', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff }), fc.nat(0xffff), (first, last) => {
      fc.pre(first >> 13 !== 1);
      expect(addressVerdict(`${first.toString(16)}::5:${last.toString(16)}`, []).blocked).toBe(true);
    }),
  );
});

test('ranges are read from commas and spaces; one address is a range of one', () => {
  const cidrs = parseCidrs(' 10.0.0.0/8,fd12::/16\n192.168.7.7 ');
  expect(cidrs.map(([address, bits]) => `${address}/${bits}`)).toEqual([
    '10.0.0.0/8',
    'fd12::/16',
    '192.168.7.7/32',
  ]);
  expect(parseCidrs('')).toEqual([]);
});

test.each([
  ['10.0.0.0/33', 'write it like 10.0.0.0/8'],
  ['10/8', 'write it like 10.0.0.0/8'],
  ['0x0a000000/8', 'write it like 10.0.0.0/8'],
  ['airflow', 'write it like 10.0.0.0/8'],
  ['fd12::/129', 'write it like 10.0.0.0/8 or fd12::/16'],
  ['10.1.2.3/8', 'write 10.0.0.0/8'],
  ['fd12::5/16', 'write fd12::/16'],
  ['::ffff:10.0.0.0/104', 'IPv4 range in IPv6 form'],
])('the range %s is refused with what to write', (text, advice) => {
  expect(() => parseCidrs(`192.168.0.0/16, ${text}`)).toThrow(advice);
  expect(() => parseCidrs(`192.168.0.0/16, ${text}`)).toThrow(`"${text}"`);
});

test.each([
  'https://example.com/hooks',
  'http://example.com:8080/a?b=c',
  'https://8.8.8.8/',
  'https://[2606:4700:4700::1111]/',
  'https://localhost.example.com/',
  'https://notlocalhost/',
])('a webhook may be sent to %s', (url) => {
  expect(webhookUrlProblem(url, [])).toBeNull();
});

test.each([
  'http://127.0.0.1/',
  'http://2130706433/',
  'http://0x7f.1/',
  'http://0177.0.0.1/',
  'http://127.1/',
  'http://127.0.0.1./',
  'http://１２７.0.0.1/',
  'http://%31%32%37.0.0.1/',
  'http://[::1]/',
  'http://[::ffff:7f00:1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://localhost/',
  'http://LOCALHOST/',
  'http://localhost./',
  'http://db.localhost/',
  'http://db.localhost./',
])('%s is judged as loopback', (url) => {
  expect(webhookUrlProblem(url, [])).toContain('it is a loopback address');
  expect(webhookUrlProblem(url, everything)).toBeNull();
});

test.each(['http://169.254.169.254/latest/meta-data', 'http://2852039166/', 'http://[fd00:ec2::254]/'])(
  '%s is blocked even when every range is opened',
  (url) => {
    expect(webhookUrlProblem(url, everything)).toContain('no setting opens this one');
  },
);

test.each([
  ['ftp://example.com/', 'https://'],
  ['file:///etc/passwd', 'https://'],
  ['javascript:alert(1)', 'https://'],
  ['unix:/var/run/docker.sock', 'https://'],
  ['https://user:secret@example.com/', 'Remove the user name'],
  ['https://user@example.com/', 'Remove the user name'],
  ['https://example.com/#part', 'from # on'],
  ['https://example.com/ a', 'Remove the spaces'],
  ['https://exam\nple.com/', 'Remove the spaces'],
  ['https://example.com/\u200b', 'Remove the spaces'],
  ['https://[fe80::1%25eth0]/', 'full URL'],
  ['example.com/hooks', 'full URL'],
  ['', 'full URL'],
  [`https://example.com/${'a'.repeat(2048)}`, 'at most 2048'],
])('%j is refused with what to change', (url, advice) => {
  expect(webhookUrlProblem(url, everything)).toContain(advice);
});

test('a refusal repeats neither the URL nor its password', () => {
  expect(webhookUrlProblem('https://user:hunter2@example.com/', [])).not.toContain('hunter2');
});
