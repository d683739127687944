/** One reply as it was on the wire. */
export type WireReply = { status: number; headers: ReadonlyMap<string, string>; body: Buffer };

/**
 * Every reply in the bytes, read as strictly as a careful client would; interim ones (1xx) are left out.
 *
 * @param mayLackBody a HEAD request may have been among those sent.
 * @throws Error what is malformed
 */
export function readReplies(bytes: Buffer, mayLackBody: boolean): WireReply[] {
  const replies: WireReply[] = [];
  const text = bytes.toString('latin1');
  for (let at = 0; at < text.length; ) {
    const headEnd = text.indexOf('\r\n\r\n', at);
    if (headEnd < 0) throw new Error('a head without an end');
    const [statusLine = '', ...lines] = text.slice(at, headEnd).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) [\x20-\x7e]+$/.exec(statusLine)?.[1]);
    if (!(status >= 100)) throw new Error(`a status line ${JSON.stringify(statusLine)}`);
    const headers = readHeaders(lines);
    at = headEnd + 4;
    if (status < 200) continue;
    const { body, end } = bodyAt(bytes, text, at, headers, mayLackBody);
    replies.push({ status, headers, body });
    at = end;
  }
  return replies;
}

function bodyAt(
  bytes: Buffer,
  text: string,
  at: number,
  headers: ReadonlyMap<string, string>,
  mayLackBody: boolean,
): { body: Buffer; end: number } {
  // The one chunked reply there is, to an expectation that is not met, has nothing in it.
  if (headers.get('transfer-encoding') === 'chunked' && text.startsWith('0\r\n\r\n', at))
    return { body: bytes.subarray(at, at), end: at + 5 };
  const announced = headers.get('content-length') ?? (headers.get('connection') === 'close' ? '0' : '');
  const lacksBody = mayLackBody && (at === text.length || text.startsWith('HTTP/1.1 ', at));
  if (!lacksBody && !/^\d+$/.test(announced)) throw new Error('a body of unknown length');
  const end = lacksBody ? at : at + Number(announced);
  if (end > text.length) throw new Error('a body shorter than announced');
  return { body: bytes.subarray(at, end), end };
}

function readHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([A-Za-z0-9-]+): ([\x20-\x7e]*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`a header ${JSON.stringify(line)}`);
    if (headers.has(name.toLowerCase())) throw new Error(`a second ${name}`);
    headers.set(name.toLowerCase(), value);
  }
  return headers;
}
