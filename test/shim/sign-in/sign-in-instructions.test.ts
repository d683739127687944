import { hostname } from 'node:os';
import t from 'tap';
import { type SignInInstructions, signInInstructions } from '../../../shim/sign-in/sign-in-instructions.ts';

const PAGE =
  'https://idp.example.com/authorize?client_id=app&redirect_uri=http%3A%2F%2Flocalhost%3A8400%2Fcallback';

const shown = (change: Partial<SignInInstructions> = {}): string =>
  signInInstructions({
    profile: 'ClaudeCode',
    pending: { url: PAGE },
    opensPage: false,
    hostKind: 'desktop',
    env: { USER: 'jane' },
    ...change,
  });

t.test('the code and the addresses stand on their own lines and fit 80 columns', async (t) => {
  const device = {
    userCode: 'WDJB-MJHT',
    verificationUriComplete: 'https://idp.example.com/device?user_code=WDJB-MJHT',
  };
  t.equal(
    shown({ pending: { url: 'https://idp.example.com/device', device } }),
    `Sign in for profile ClaudeCode in any browser, also on a phone. Open this
address:
  https://idp.example.com/device

and enter this code:

  +-------------+
  |  WDJB-MJHT  |
  +-------------+

This address has the code in it; compare the two:
  https://idp.example.com/device?user_code=WDJB-MJHT

`,
  );
  const plain = shown({
    pending: { url: 'https://idp.example.com/device', device: { ...device, verificationUriComplete: null } },
  });
  t.match(plain, /\+\n\n$/);
  t.notMatch(plain, 'compare');
});

t.test('the instructions for an opened page include its address', async (t) => {
  t.equal(
    shown({ opensPage: true, hostKind: 'ssh' }),
    `Sign in for profile ClaudeCode in the browser. If no page opens there, open this
address:
  ${PAGE}
`,
  );
});

t.test('the instructions for a browser elsewhere explain the way to the redirect port', async (t) => {
  t.match(shown(), `\n  ${PAGE}\nIf that browser runs on another machine, first run there:\n`);
  t.match(shown(), `\n  ssh -L 8400:localhost:8400 jane@${hostname()}\n`);
  const SSH_CONNECTION = '192.0.2.1 5 192.0.2.7 22';
  t.match(shown({ hostKind: 'ssh', env: { SSH_CONNECTION } }), '\n  ssh -L 8400:localhost:8400 192.0.2.7\n');
  t.match(shown({ hostKind: 'container' }), /This is a container: first forward its port 8400 /);
  t.notMatch(shown({ hostKind: 'container' }), 'ssh -L');
  t.equal(shown({ hostKind: 'wsl' }).split('\n').length, 3, 'Windows forwards by itself');
  t.notMatch(shown({ pending: { url: 'https://idp.example.com/authorize' } }), 'ssh');
});

t.test('only addresses are wider than 80 columns, for every profile name', async (t) => {
  for (const profile of ['x', 'A-Profile-Of-A-Rather-Long-Name', 'n'.repeat(64)]) {
    for (const hostKind of ['desktop', 'ssh', 'wsl', 'container'] as const) {
      for (const opensPage of [true, false]) {
        const lines = shown({ profile, hostKind, opensPage }).split('\n');
        t.strictSame(
          lines.filter((line) => line.length > 80 && !line.startsWith('  https://')),
          [],
        );
      }
    }
  }
});
