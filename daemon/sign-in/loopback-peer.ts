import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { isIPv6 } from 'node:net';

/** Linux's lists of TCP sockets, proc(5): each with its two addresses, its state and the user it belongs to. */
const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'] as const;

/** TCP_ESTABLISHED (net/tcp_states.h). A socket its program has closed belongs to nobody, and shows as root's. */
const ESTABLISHED = '01';

/**
 * Whether another user of this computer is at the other end of a loopback connection. root counts as no other:
 * it can do anything anyway, and what forwards ports into containers and WSL runs as root.
 *
 * @param read replaces the reading of Linux's tables; undefined where a table cannot be read.
 * @returns false as well where the system does not tell.
 */
export async function isAnotherUser(
  {
    remoteAddress = '',
    remotePort = 0,
    localPort = 0,
  }: Pick<Socket, 'remoteAddress' | 'remotePort' | 'localPort'>,
  uid: number | undefined,
  read: (path: string) => Promise<string | undefined> = readTable,
): Promise<boolean> {
  if (uid === undefined) return false;
  const address = isIPv6(remoteAddress) ? addressOf6(remoteAddress) : addressOf4(remoteAddress);
  const table = await read(TABLES[isIPv6(remoteAddress) ? 1 : 0]);
  if (address === undefined || table === undefined) return false;
  // From where the other end is: its own address first, then ours.
  const ends = [`${address}:${hex(remotePort, 4)}`, `${address}:${hex(localPort, 4)}`];
  for (const line of table.split('\n').slice(1)) {
    const [, local, remote, state, , , , owner] = line.trim().split(/\s+/);
    if (local !== ends[0] || remote !== ends[1]) continue;
    return state !== ESTABLISHED || ![0, uid].includes(Number(owner));
  }
  // Connections come and go: one that is in no table any more has nobody who waits for an answer.
  return true;
}

function readTable(path: string): Promise<string | undefined> {
  return readFile(path, 'latin1').catch(() => undefined);
}

/** As the tables have it: a 32-bit number in the order of bytes of the machine, little-endian on all of ours. */
function addressOf4(address: string): string | undefined {
  const bytes = address.split('.').map(Number);
  return bytes.length === 4
    ? bytes
        .reverse()
        .map((byte) => hex(byte, 2))
        .join('')
    : undefined;
}

/** `::1` is the one IPv6 address that the redirect listens on. */
function addressOf6(address: string): string | undefined {
  return address === '::1' ? `${'0'.repeat(24)}01000000` : undefined;
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}
