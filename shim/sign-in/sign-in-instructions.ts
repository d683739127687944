import { hostname } from 'node:os';
import { wrapWords } from '../../common/terminal/layout.ts';
import type { SignInReply } from '../../protocol/api.ts';
import type { HostEnvironment, HostKind } from './graphical-session.ts';

export type PendingSignIn = Extract<SignInReply, { state: 'pending' }>;

export type SignInInstructions = {
  profile: string;
  pending: Pick<PendingSignIn, 'url' | 'device'>;
  /** True if this program opens the page, or tries to. */
  opensPage: boolean;
  hostKind: HostKind;
  env: HostEnvironment['env'];
};

/** Returns the instructions for a sign-in. Addresses and the code stand on lines of their own. */
export function signInInstructions({
  profile,
  pending,
  opensPage,
  hostKind,
  env,
}: SignInInstructions): string {
  const { url, device } = pending;
  if (device) return byCode(profile, url, device.userCode, device.verificationUriComplete);
  if (opensPage) {
    return said(
      `Sign in for profile ${profile} in the browser. If no page opens there, open this address:`,
      url,
    );
  }
  const port = redirectPort(url);
  const way = port === undefined ? '' : wayBack(port, hostKind, env);
  return `${said(`Sign in for profile ${profile}: open this address in a browser:`, url)}${way}`;
}

function byCode(profile: string, url: string, userCode: string, complete: string | null): string {
  const line = '-'.repeat(userCode.length + 4);
  return [
    said(`Sign in for profile ${profile} in any browser, also on a phone. Open this address:`, url),
    '\nand enter this code:\n',
    `\n  +${line}+\n  |  ${userCode}  |\n  +${line}+\n`,
    complete ? said('\nThis address has the code in it; compare the two:', complete) : '',
    '\n',
  ].join('');
}

function said(text: string, url: string): string {
  return `${wrapWords('', text, 0).join('\n')}\n  ${url}\n`;
}

/** Explains how a browser on another machine reaches the redirect port of this one. */
function wayBack(port: string, hostKind: HostKind, env: HostEnvironment['env']): string {
  // Windows forwards the ports of WSL by itself.
  if (hostKind === 'wsl') return '';
  if (hostKind === 'container') {
    const forward = `first forward its port ${port} to port ${port} of the machine with the browser`;
    const text = `This is a container: ${forward}. Editors do that; in VS Code, the Ports view.`;
    return `${wrapWords('', text, 0).join('\n')}\n`;
  }
  // The third field of SSH_CONNECTION is this machine's address as the other side reached it.
  const host = env.SSH_CONNECTION?.split(' ')[2] ?? hostname();
  const user = env.USER ?? env.LOGNAME;
  return (
    'If that browser runs on another machine, first run there:\n' +
    `  ssh -L ${port}:localhost:${port} ${user ? `${user}@` : ''}${host}\n`
  );
}

/** Returns the loopback port of the redirect URI. */
function redirectPort(url: string): string | undefined {
  const redirect = URL.canParse(url) ? new URL(url).searchParams.get('redirect_uri') : null;
  return redirect !== null && URL.canParse(redirect) ? new URL(redirect).port || undefined : undefined;
}
