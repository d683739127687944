/** The parts of RFC 6265 that a sign-in needs: host, path, deletion. Ports do not separate cookies. */
export interface CookieJar {
  /** Returns the `Cookie` header for a request; empty: no cookie to send. */
  header(url: URL): string;
  /** Stores the cookies of a response's `Set-Cookie` headers. */
  store(url: URL, setCookie: readonly string[]): void;
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly host: string;
  readonly path: string;
}

export function createCookieJar(): CookieJar {
  const cookies = new Map<string, Cookie>();
  return {
    header: (url) =>
      [...cookies.values()]
        .filter((cookie) => cookie.host === url.hostname && covers(cookie.path, url.pathname))
        .map((cookie) => `${cookie.name}=${cookie.value}`)
        .join('; '),
    store(url, setCookie) {
      for (const line of setCookie) {
        const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
        const name = pair.slice(0, pair.indexOf('='));
        const value = pair.slice(pair.indexOf('=') + 1);
        const path = attribute(attributes, 'path') ?? '/';
        const key = `${url.hostname}|${path}|${name}`;
        const expires = Date.parse(attribute(attributes, 'expires') ?? '');
        const gone = attribute(attributes, 'max-age') === '0' || expires <= Date.now();
        if (gone) cookies.delete(key);
        else cookies.set(key, { name, value, host: url.hostname, path });
      }
    },
  };
}

function attribute(attributes: readonly string[], name: string): string | undefined {
  const found = attributes.find((part) => part.toLowerCase().startsWith(`${name}=`));
  return found?.slice(name.length + 1);
}

/** RFC 6265 §5.1.4. */
function covers(cookiePath: string, requestPath: string): boolean {
  if (cookiePath === requestPath) return true;
  return requestPath.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`);
}
