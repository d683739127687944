import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import t from 'tap';
import { isAnotherUser } from '../../../daemon/sign-in/loopback-peer.ts';
import { findTool, missing } from '../../../tools/support/find-tool.ts';
import { noOtherUser, OTHER_USER } from '../../fixtures/other-user.ts';

const curl = findTool('/usr/bin/curl');
const noTables = existsSync('/proc/net/tcp') ? false : 'needs /proc/net/tcp, which is Linux';

// Recorded from Linux 6.1: the redirect port 8400 (20D0), a browser's connection to it, and its other side.
const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:20D0 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0
   1: 0100007F:C350 0100007F:20D0 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 20 4 30 10 -1
   2: 0100007F:20D0 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4713 1 0 20 4 30 10 -1
   3: 0100007F:C351 0100007F:20D0 04 00000000:00000000 00:00000000 00000000     0        0 0 1 0 20 4 30 10 -1
   4: 0100007F:C352 0100007F:20D0 01 00000000:00000000 00:00000000 00000000     0        0 4714 1 0 20 4 30 10 -1
`;
const TABLE6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:C350 00000000000000000000000001000000:20D0 01 00000000:00000000 00:00000000 00000000  1000        0 4715 1 0 20 4 30 10 -1
`;
const read = async (path: string): Promise<string> => (path.endsWith('6') ? TABLE6 : TABLE);
const from = (remotePort: number, remoteAddress = '127.0.0.1') => ({
  remoteAddress,
  remotePort,
  localPort: 8_400,
});

t.test('the owner of the other end is read from the kernel', async (t) => {
  t.equal(await isAnotherUser(from(0xc350), 1_000, read), false);
  t.equal(await isAnotherUser(from(0xc350), 1_001, read), true);
  t.equal(await isAnotherUser(from(0xc350, '::1'), 1_000, read), false);
  t.equal(await isAnotherUser(from(0xc350, '::1'), 1_001, read), true);
  t.equal(await isAnotherUser(from(0xc352), 1_000, read), false, 'root');
  t.equal(
    await isAnotherUser(from(0xc351), 1_000, read),
    true,
    'closed by its program: it belongs to nobody',
  );
  t.equal(await isAnotherUser(from(0xc353), 1_000, read), true, 'gone');
});

t.test('no connection is refused if its owner is unknown', async (t) => {
  t.equal(await isAnotherUser(from(0xc350), 1_001, async () => undefined), false);
  t.equal(await isAnotherUser(from(0xc350), undefined, read), false);
  t.equal(await isAnotherUser(from(0xc350, 'fe80::1'), 1_001, read), false);
});

for (const host of ['127.0.0.1', '::1']) {
  t.test(`real connections to ${host}`, { skip: noTables || missing({ curl }) }, async (t) => {
    const server = createServer();
    const opened = new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(0, host, () => resolve(true));
    });
    if (!(await opened)) return void t.comment(`no ${host} on this machine`);
    t.teardown(() => server.close());
    const { port } = server.address() as { port: number };
    const accepted = (): Promise<Socket> =>
      new Promise((resolve) => {
        server.once('connection', (socket) => {
          t.teardown(() => socket.destroy());
          socket.on('error', () => {});
          resolve(socket);
        });
      });

    const first = accepted();
    const own = connect(port, host);
    t.teardown(() => own.destroy());
    t.equal(await isAnotherUser(await first, process.getuid?.()), false, 'our own');
    if (noOtherUser) return;

    const second = accepted();
    const address = host === '::1' ? '[::1]' : host;
    const child = spawn(curl ?? '', ['-q', '-s', `http://${address}:${port}/`], {
      ...OTHER_USER,
      cwd: '/',
      env: {},
      stdio: 'ignore',
    });
    t.teardown(() => child.kill());
    // root counts as everybody's: to somebody else it is told from the other user.
    const socket = await second;
    t.equal(await isAnotherUser(socket, OTHER_USER.uid), false, 'that user itself');
    t.equal(await isAnotherUser(socket, 4_711), true, 'another one');
  });
}
