import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** Sends a part of the body and waits until the kernel has it; with `last` the answer is complete. */
export type Send = (part: Buffer, last?: 'last') => Promise<void>;

/** Replaces the way a body is sent. The servers of the sandbox pass each body in one piece. */
export function onReply(
  response: ServerResponse,
  sending: (body: Buffer, send: Send) => Promise<void>,
): void {
  const end = response.end.bind(response);
  const send: Send = (part, last) =>
    new Promise((resolve, reject) => {
      if (response.destroyed) reject(new Error('the connection is gone'));
      else if (last) end(part, () => resolve());
      else response.write(part, (error) => (error ? reject(error) : resolve()));
    });
  const takenOver = (body: string | Uint8Array = ''): ServerResponse => {
    // A client that has disconnected can receive no error.
    sending(typeof body === 'string' ? Buffer.from(body) : Buffer.from(body), send).catch(() =>
      response.destroy(),
    );
    return response;
  };
  response.end = takenOver as typeof response.end;
}

/** Sends half of the reply and closes the connection. */
export function cutReply(response: ServerResponse): void {
  onReply(response, async (body, send) => {
    await send(body.subarray(0, Math.ceil(body.length / 2)));
    response.destroy();
  });
}

export function delayReply(response: ServerResponse, ms: number): void {
  onReply(response, async (body, send) => {
    // Unreferenced: a test that gave up on the request must not wait for this timer to exit.
    await delay(ms, undefined, { ref: false });
    await send(body, 'last');
  });
}

/** Changes fields of the JSON object in a reply. */
export function changeFields(response: ServerResponse, fields: Readonly<Record<string, unknown>>): void {
  onReply(response, async (body, send) => {
    const changed = Buffer.from(JSON.stringify({ ...JSON.parse(body.toString('utf8')), ...fields }));
    if (!response.headersSent) response.setHeader('content-length', changed.length);
    await send(changed, 'last');
  });
}

export function relabelReply(response: ServerResponse, contentType: string): void {
  const writeHead = response.writeHead.bind(response);
  const relabelled = (status: number, headers: Readonly<Record<string, string>> = {}): ServerResponse => {
    response.setHeader('content-type', contentType);
    return writeHead(status, { ...headers, 'content-type': contentType });
  };
  response.writeHead = relabelled as typeof response.writeHead;
}

/** Sends 200 and an endless JSON body, one byte per this many milliseconds. */
export function drip(response: ServerResponse, ms: number): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('{"access_token": "');
  const timer = setInterval(() => response.write('x'), ms);
  timer.unref();
  response.once('close', () => clearInterval(timer));
}

/** Sends 200 and this many meaningless bytes of JSON, as fast as the client reads. */
export function pour(response: ServerResponse, bytes: number): void {
  const chunk = Buffer.alloc(65_536, 'x');
  let left = bytes;
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('{"access_token": "');
  const more = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= chunk.length;
      if (!response.write(chunk)) {
        response.once('drain', more);
        return;
      }
    }
    response.end('"}');
  };
  more();
}
