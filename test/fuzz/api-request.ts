import { ROUTES, type RouteName } from '../../protocol/api.ts';
import { havoc } from './havoc.ts';
import { mutatedJson } from './json.ts';
import type { Random } from './random.ts';

/** What a request may name that only the running daemon knows. */
export type ApiNames = {
  /** The last one is the one to sign out: the others are to have secrets as long as possible. */
  profiles: readonly string[];
  signIn: string;
};

type Header = [name: string, value: string];

const ROUTE_NAMES = Object.keys(ROUTES) as RouteName[];

const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'QUERY',
] as const;
const ODD_METHODS = ['get', 'GETT', 'G\0T', '', 'PRI', ' GET', 'GET\t', `X${'A'.repeat(300)}`] as const;

const VERSIONS = ['HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'http/1.1', 'HTTP/1.1 ', 'HTTP/', ''] as const;

const ODD_SEGMENTS = [
  '..',
  '.',
  '',
  '%2e%2e',
  '%00',
  '%',
  '%zz',
  '%ff%fe',
  '%c0%af',
  'a%2Fb',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  '*',
  ':profile',
  'x'.repeat(64),
  'x'.repeat(65),
  'x'.repeat(5_000),
  '\u00e9',
  '%F0%9F%94%91',
  'ClaudeCode ',
  'claudecode',
] as const;

const HOSTS = [
  'localhost:80',
  'LOCALHOST',
  'localhost.',
  '127.0.0.1',
  'example.com',
  '',
  'localhost, localhost',
  '[::1]',
] as const;

const ODD_HEADERS: readonly Header[] = [
  ['Origin', 'null'],
  ['Referer', ''],
  ['Sec-Fetch-Site', 'cross-site'],
  ['Sec-Fetch-Mode', 'no-cors'],
  ['Host', 'localhost'],
  ['Host', 'evil.example'],
  ['Content-Length', '0'],
  ['Content-Length', '5'],
  ['Content-Length', '-1'],
  ['Content-Length', '+5'],
  ['Content-Length', '0x5'],
  ['Content-Length', '5, 5'],
  ['Content-Length', '99999999999999999999'],
  ['Transfer-Encoding', 'chunked'],
  ['Transfer-Encoding', 'Chunked, identity'],
  ['Transfer-Encoding', 'gzip, chunked'],
  ['Transfer-Encoding', 'xchunked'],
  ['Transfer-Encoding ', 'chunked'],
  ['Expect', '100-continue'],
  ['Expect', 'x'],
  ['Upgrade', 'websocket'],
  ['Connection', 'upgrade'],
  ['Connection', 'close'],
  ['Connection', 'keep-alive, upgrade, te'],
  ['Content-Type', 'application/json; charset=utf-16'],
  ['Content-Type', 'text/plain'],
  ['Content-Type', 'multipart/form-data; boundary='],
  ['Content-Type', ''],
  ['Content-Encoding', 'gzip'],
  ['Accept', '*/*'],
  ['Accept-Version', '2.x'],
  ['X-HTTP-Method-Override', 'DELETE'],
  ['Authorization', 'Bearer x'],
  ['Cookie', '__proto__=1'],
  ['Trailer', 'Content-Length'],
  ['X', 'a\0b'],
  ['X', 'a\rb'],
  ['X', 'a\nHost: evil.example'],
  ['X\n', 'folded\r\n more'],
  ['', 'no name'],
  ['X', 'x'.repeat(9_000)],
];

/** A request of the API with some of its parts made odd, and sometimes its bytes; the same for the same random. */
export function mutatedApiRequest(random: Random, names: ApiNames): Buffer {
  for (;;) {
    const bytes = mutated(random, names);
    // A few in order, between the others: they are to be answered as ever.
    if (!IN_ORDER.test(bytes.toString('latin1')) || random.chance(0.05)) return bytes;
  }
}

const IN_ORDER = /^\w+ \/v1\/[\w/-]* HTTP\/1\.1\r\nhost: localhost\r\n\r\n$/;

function mutated(random: Random, names: ApiNames): Buffer {
  let bytes = request(random, names);
  if (random.chance(0.1)) bytes = Buffer.concat([bytes, request(random, names)]);
  if (random.chance(0.25)) bytes = havoc(bytes, random, random.below(4) + 1);
  if (random.chance(0.04)) bytes = bytes.subarray(0, random.below(bytes.length));
  if (random.chance(0.01)) bytes = Buffer.concat([Buffer.from('\r\n'.repeat(random.below(4))), bytes]);
  return bytes;
}

function request(random: Random, names: ApiNames): Buffer {
  const any = random.pick(ROUTE_NAMES);
  const route = any === 'signOut' && random.chance(0.8) ? 'credentials' : any;
  const odd = (probability: number): boolean => random.chance(probability);
  const method = odd(0.1)
    ? random.pick(METHODS)
    : odd(0.03)
      ? random.pick(ODD_METHODS)
      : ROUTES[route].method;
  const version = odd(0.03) ? random.pick(VERSIONS) : 'HTTP/1.1';
  const body = bodyOf(route, random);
  const headers: Header[] = [['host', odd(0.05) ? random.pick(HOSTS) : 'localhost']];
  if (body !== undefined && !odd(0.05)) headers.push(['content-type', 'application/json']);
  for (let more = odd(0.2) ? random.below(4) : 0; more > 0; more -= 1) headers.push(random.pick(ODD_HEADERS));
  if (odd(0.005)) for (let i = 0; i < 200; i += 1) headers.push([`x-${i}`, 'y'.repeat(random.below(100))]);
  if (odd(0.03)) headers.reverse();
  const sent = framed(body, headers, random);
  const newline = odd(0.01) ? '\n' : '\r\n';
  const lines = headers.map(([name, value]) => `${name}:${odd(0.02) ? '' : ' '}${value}${newline}`);
  return Buffer.from(
    `${method} ${target(route, random, names)} ${version}${newline}${lines.join('')}${newline}${sent}`,
  );
}

function target(route: RouteName, random: Random, names: ApiNames): string {
  const filled = ROUTES[route].path
    .replace(':profile', () => segment(random, profileOf(route, random, names)))
    .replace(':signIn', () => segment(random, names.signIn));
  const parts = filled.split('/');
  if (random.chance(0.05))
    parts.splice(random.below(parts.length + 1), random.below(2), random.pick(ODD_SEGMENTS));
  const path = parts.join('/');
  const query = random.chance(route === 'awaitSignIn' ? 0.6 : 0.05) ? `?${queryOf(random)}` : '';
  if (random.chance(0.02)) return `http://localhost${path}${query}`;
  if (random.chance(0.01)) return `${path}${query}#x`;
  return random.chance(0.01) ? random.pick(['*', '', 'localhost:80', '//', '/', '?']) : `${path}${query}`;
}

function profileOf(route: RouteName, random: Random, { profiles }: ApiNames): string {
  const last = profiles.at(-1) ?? '';
  return ROUTES[route].method === 'DELETE' && random.chance(0.995) ? last : random.pick(profiles);
}

function segment(random: Random, plain: string): string {
  if (random.chance(0.85)) return plain;
  if (random.chance(0.4)) return random.pick(ODD_SEGMENTS);
  return [...plain]
    .map((letter) => (random.chance(0.3) ? `%${letter.charCodeAt(0).toString(16)}` : letter))
    .join('');
}

function queryOf(random: Random): string {
  const wait = [
    '0',
    '1',
    '20',
    '60000',
    '60001',
    '-1',
    '1.5',
    '1e3',
    '',
    'x',
    '00',
    '0x10',
    '9'.repeat(30),
  ] as const;
  const open = ['true', 'false', '1', '', 'TRUE', 'null', '[]'] as const;
  const names = ['wait', 'canOpenPage', 'wait[]', '__proto__', 'x', '%', '%00', 'wait%00'] as const;
  const pairs = Array.from({ length: random.below(4) }, (_, i) =>
    random.chance(0.2)
      ? `${random.pick(names)}=${random.pick(wait)}`
      : i % 2 === 0
        ? `wait=${random.pick(wait)}`
        : `canOpenPage=${random.pick(open)}`,
  );
  return pairs.join(random.chance(0.05) ? ';' : '&');
}

/** The body that the route takes, often changed; undefined for none. */
function bodyOf(route: RouteName, random: Random): string | undefined {
  const proper =
    route === 'signIn'
      ? { automatic: random.chance(0.5), canOpenPage: random.chance(0.5) }
      : route === 'pageOpened'
        ? { opened: random.chance(0.5) }
        : undefined;
  if (proper === undefined) return random.chance(0.05) ? mutatedJson({ a: 1 }, random) : undefined;
  if (random.chance(0.01)) return `{"automatic":true,"x":"${'y'.repeat(random.below(20_000))}"}`;
  return random.chance(0.3) ? JSON.stringify(proper) : mutatedJson(proper, random);
}

/** Adds what frames the body, mostly truly; gives the body as it is sent. */
function framed(body: string | undefined, headers: Header[], random: Random): string {
  if (body === undefined) return '';
  const length = Buffer.byteLength(body);
  if (random.chance(0.2)) {
    headers.push(['transfer-encoding', 'chunked']);
    const size = random.chance(0.15)
      ? random.pick(['-1', 'ffffffffffffffff', 'x', '0', '5;ext="\0"', ' 5'])
      : length.toString(16);
    const trailer = random.chance(0.1) ? 'Content-Length: 0\r\n' : '';
    return `${size}\r\n${body}\r\n0\r\n${trailer}\r\n`;
  }
  headers.push(['content-length', String(random.chance(0.1) ? random.below(2 * length + 2) : length)]);
  return body;
}
