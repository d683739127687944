import { get, type IncomingMessage } from 'node:http';
import { readBody } from '../http/loopback-server.ts';
import { createCookieJar } from './cookie-jar.ts';
import { type HtmlField, type HtmlForm, parseForm } from './html-form.ts';

export interface SignInAnswers {
  /** Default `demo`. */
  readonly user?: string;
  /** Default `demo`. */
  readonly password?: string;
  /** Presses the button that refuses. */
  readonly deny?: boolean;
}

/** The last page of a sign-in. */
export interface SignInResult {
  /** `callback`: the client's redirect URI was fetched. `page`: it ended on a page of the provider. */
  readonly outcome: 'callback' | 'page';
  /** Status of the last response. */
  readonly status: number;
  readonly body: string;
  readonly url: string;
  /** The redirect with `code` and `state` or `error`, if there was one. */
  readonly callbackUrl?: string;
}

const requestTimeoutMs = 15_000;
const mostSteps = 20;

/**
 * Signs in like a browser, from an authorization URL to the last page of the client's callback.
 * Stops at a form that is shown again after its submission (a wrong password).
 * @param options.callback false: stop at the redirect to the client without fetching it
 */
export async function signInOverHttp(
  url: string | URL,
  answers: SignInAnswers = {},
  options: { readonly callback?: boolean } = {},
): Promise<SignInResult> {
  const start = new URL(url);
  const jar = createCookieJar();
  const submitted = new Set<string>();
  let target = start;
  let body: URLSearchParams | undefined;

  for (let step = 0; step < mostSteps; step += 1) {
    if (target.origin !== start.origin) {
      if (options.callback ?? true) return visitCallback(target);
      return { outcome: 'callback', status: 0, body: '', url: target.href, callbackUrl: target.href };
    }
    const response = await fetch(target, {
      redirect: 'manual',
      signal: AbortSignal.timeout(requestTimeoutMs),
      headers: { accept: 'text/html', cookie: jar.header(target) },
      ...(body === undefined ? {} : { method: 'POST', body }),
    });
    jar.store(target, response.headers.getSetCookie());
    const location = response.headers.get('location');
    const text = await response.text();
    if (location !== null) {
      target = new URL(location, target);
      body = undefined;
      continue;
    }
    const form = parseForm(text, target);
    const once = form && JSON.stringify([form.action, ...form.fields, ...form.buttons].map(labelOf));
    if (form === undefined || once === undefined || submitted.has(once)) {
      return { outcome: 'page', status: response.status, body: text, url: target.href };
    }
    submitted.add(once);
    body = fill(form, answers);
    target = form.action;
  }
  throw new Error(`the sign-in at ${start.origin} did not end after ${mostSteps} pages`);
}

/**
 * Approves (or denies) a device's request through the provider's pages.
 * @param verificationUriComplete RFC 8628 §3.2; with `verification_uri`, the walk ends at the empty code form
 */
export function approveDevice(
  verificationUriComplete: string | URL,
  answers: SignInAnswers = {},
): Promise<SignInResult> {
  return signInOverHttp(verificationUriComplete, answers);
}

function labelOf(part: URL | HtmlField): string {
  return part instanceof URL ? part.href : part.name;
}

/** Headers of a browser's navigation from the provider's page; `fetch` would send those of a script. */
const visitHeaders = {
  accept: 'text/html',
  'sec-fetch-site': 'cross-site',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
};

/** Requests a client's callback like a browser that comes from the provider. */
export async function visitCallback(target: string | URL): Promise<SignInResult> {
  const callbackUrl = String(target);
  const signal = AbortSignal.timeout(requestTimeoutMs);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(target, { headers: visitHeaders, agent: false, signal }, resolve).once('error', reject);
  });
  const body = (await readBody(response)).toString();
  return { outcome: 'callback', status: response.statusCode ?? 0, body, url: callbackUrl, callbackUrl };
}

function fill(form: HtmlForm, answers: SignInAnswers): URLSearchParams {
  const values = new URLSearchParams();
  for (const field of form.fields) {
    const typed: Readonly<Record<string, string>> = {
      username: answers.user ?? 'demo',
      password: answers.password ?? 'demo',
    };
    if (field.name !== '') values.set(field.name, typed[field.name] ?? field.value);
  }
  const refuses = (name: string, value: string) => name === 'abort' || value === 'deny';
  const pressed =
    form.buttons.find((button) => refuses(button.name, button.value) === (answers.deny ?? false)) ??
    form.buttons[0];
  if (pressed !== undefined && pressed.name !== '') values.set(pressed.name, pressed.value);
  return values;
}
