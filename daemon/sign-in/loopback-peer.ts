import { readFile } from 'node:fs/promises';
import { isIPv6, type Socket } from 'node:net';

/** Linux's tables of TCP sockets, proc(5): the two addresses, the state and the owner of each. */
const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'] as const;

/** TCP_ESTABLISHED (net/tcp_states.h). A socket that its program has closed has no owner: the table shows root. */
const ESTABLISHED = '01';

/**
 * True if another user of this computer is at the other end of a loopback connection. root does not count:
 * it can do anything anyway, and programs that forward ports into containers and WSL run as root.
 *
 * @param read reads a table; undefined if it cannot be read.
 * @returns false also where the system does not name the owner.
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
  // The other end's socket: its own address first, then ours.
  const ends = [`${address}:${hex(remotePort, 4)}`, `${address}:${hex(localPort, 4)}`];
  for (const line of table.split('\n').slice(1)) {
    const [, local, remote, state, , , , owner] = line.trim().split(/\s+/);
    if (local !== ends[0] || remote !== ends[1]) continue;
    return state !== ESTABLISHED || ![0, uid].includes(Number(owner));
  }
  // A connection that is no longer in the table has been closed: no browser waits for the answer.
  return true;
}

function readTable(path: string): Promise<string | undefined> {
  return readFile(path, 'latin1').catch(() => undefined);
}

/** Returns an address in the form of the tables: a 32-bit number, little-endian on all supported machines. */
function addressOf4(address: string): string | undefined {
  const bytes = address.split('.').map(Number);
  return bytes.length === 4
    ? bytes
        .reverse()
        .map((byte) => hex(byte, 2))
        .join('')
    : undefined;
}

/** Returns the only IPv6 address that the redirect listens on, `::1`, in the form of the tables. */
function addressOf6(address: string): string | undefined {
  return address === '::1' ? `${'0'.repeat(24)}01000000` : undefined;
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}
