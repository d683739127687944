import { havoc } from './havoc.ts';
import type { Random } from './random.ts';

/** What would be a good callback: where it goes and the parameters that the provider gave it. */
export type GoodCallback = { port: number; parameters: readonly [name: string, value: string][] };

/** Stands in everything that only a browser's address says and no page may show. */
export const MARK = 'planted-in-the-address';

/** As an error code, which a page does show, but not as this. */
export const SCRIPT = '<script>alert(1)</script>';

const METHODS = ['GET', 'GET', 'GET', 'GET', 'HEAD', 'POST', 'OPTIONS', 'get', 'CONNECT', 'PUT'] as const;

const PATHS = [
  '/callback/',
  '/Callback',
  '/callback/../callback',
  '/./callback',
  '//callback',
  '/callback;x',
  '/callback%3f',
  '/%63allback',
  '/callback\\',
  '/callback%00',
  '/callbackx',
  '/',
  '/favicon.ico',
  '*',
  '',
] as const;

const EXTRA: readonly [string, string][] = [
  ['error', 'access_denied'],
  ['error', 'server_error'],
  ['error', SCRIPT],
  ['error', ''],
  ['error_description', MARK],
  ['error_uri', `javascript:${MARK}`],
  ['iss', 'https://evil.example'],
  ['iss', ''],
  ['code', MARK],
  ['code', ''],
  ['id_token', 'eyJhbGciOiJub25lIn0.e30.'],
  ['response', 'eyJhbGciOiJub25lIn0.e30.'],
  ['session_state', MARK],
  ['__proto__', MARK],
  ['constructor', MARK],
  ['redirect_uri', 'https://evil.example'],
];

/**
 * A browser's coming back, with parts of it wrong.
 *
 * @param options.wrongState true: the state is never the awaited one, though often nearly. false: mostly is.
 */
export function mutatedCallback(
  random: Random,
  good: GoodCallback,
  options: { wrongState: boolean },
): Buffer {
  const odd = (probability: number): boolean => random.chance(probability);
  const path = odd(0.1) ? random.pick(PATHS) : '/callback';
  const query = queryOf(random, good.parameters, options.wrongState);
  const ending = odd(0.02) ? '#state' : '';
  const origin = odd(0.05)
    ? random.pick([`http://localhost:${good.port}`, 'http://evil.example', '//evil.example'])
    : '';
  const separator = odd(0.02) ? random.pick(['', '??', '?&', '%3f', '#']) : '?';
  const names = ['localhost', '127.0.0.1', '[::1]'];
  const host = odd(0.1)
    ? random.pick([
        `localhost.evil.example:${good.port}`,
        'localhost',
        `LOCALHOST:${good.port}`,
        '',
        '[::1',
        'a:b:c',
      ])
    : `${random.pick(names)}:${good.port}`;
  const more = odd(0.1)
    ? random.pick([
        `Host: ${host}\r\n`,
        'Content-Length: 3\r\n\r\nabc',
        `Cookie: ${'x'.repeat(17_000)}\r\n`,
        'Expect: x\r\n',
      ])
    : '';
  const method = odd(0.2) ? random.pick(METHODS) : 'GET';
  const text = `${method} ${origin}${path}${separator}${query}${ending} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;
  const bytes = Buffer.from(text);
  return odd(0.3) ? havoc(bytes, random, random.below(3) + 1) : bytes;
}

function queryOf(random: Random, good: GoodCallback['parameters'], wrongState: boolean): string {
  let pairs = good.map(([name, value]): [string, string] => [
    name,
    name === 'state' && wrongState
      ? nearly(random, value)
      : random.chance(0.1)
        ? nearly(random, value)
        : value,
  ]);
  for (let times = random.below(3); times > 0; times -= 1) {
    const at = random.below(pairs.length + 1);
    if (random.chance(0.3)) pairs = pairs.filter((_, i) => i !== at);
    else
      pairs.splice(at, 0, random.chance(0.3) && pairs.length > 0 ? random.pick(pairs) : random.pick(EXTRA));
  }
  return pairs
    .map(([name, value]) => `${encoded(random, name)}=${encoded(random, value)}`)
    .join(random.chance(0.02) ? ';' : '&');
}

/** Another text that looks much like this one. */
function nearly(random: Random, value: string): string {
  const at = random.below(value.length + 1);
  switch (random.below(7)) {
    case 0:
      return value.slice(0, at);
    case 1:
      return `${value}${random.pick([' ', '\0', 'x', '%', value])}`;
    case 2:
      return value.toLowerCase() === value ? value.toUpperCase() : value.toLowerCase();
    case 3:
      return `${value.slice(0, at)}${random.pick(['a', 'Z', '-', '_', '\u0430', '\0'])}${value.slice(at + 1)}`;
    case 4:
      return random.pick(['', '__proto__', 'constructor', 'null', 'undefined', '[object Object]', '*', '.*']);
    case 5:
      return [...value].reverse().join('');
    default:
      return `${value},${value}`;
  }
}

function encoded(random: Random, text: string): string {
  if (random.chance(0.9)) return encodeURIComponent(text);
  const bytes = [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  return random.chance(0.7)
    ? bytes
    : random.pick(['%', '%zz', '%ff%fe', '+', `${text}%`, text.replaceAll('%', '')]);
}

/**
 * Whether, however the bytes are cut into requests, one of them may be taken to hold this state first:
 * a callback for which a code may be redeemed.
 */
export function mayBeAwaited(bytes: Buffer, state: string): boolean {
  const targets = bytes.toString('latin1').match(/\/callback\?\S*/g) ?? [];
  return targets.some(
    (target) => new URLSearchParams(target.slice(target.indexOf('?'))).get('state') === state,
  );
}
