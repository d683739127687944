import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** What can go wrong between a caller and a server, whatever the server does. */
export type Fault =
  /** The connection is cut before the request is looked at. */
  | { readonly kind: 'down' }
  /** An answer with this status and a text body. `retryAfter` in seconds (RFC 9110 §10.2.3). */
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: number; readonly body?: string }
  /** A captive portal: 200 and an HTML page. */
  | { readonly kind: 'html' }
  /** The request is looked at only after this many milliseconds. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** The request takes full effect, then the connection is cut instead of an answer. */
  | { readonly kind: 'loseReply' }
  /** 200, `application/json`, and a body that ends half-way. */
  | { readonly kind: 'garbage' };

/** Faults by place; `all` stands for every place without a fault of its own. */
export interface FaultBoard<Place extends string, Kind> {
  /** @param fault absent: none any more. @param times how many requests it hits; absent: until changed */
  set(place: Place | 'all', fault?: Kind, times?: number): void;
  /** The fault that hits a request arriving now. */
  take(place: Place): Kind | undefined;
  clear(): void;
}

export function createFaultBoard<Place extends string, Kind>(): FaultBoard<Place, Kind> {
  const board = new Map<Place | 'all', { fault: Kind; left: number }>();
  return {
    set(place, fault, times = Number.POSITIVE_INFINITY) {
      if (fault === undefined || times <= 0) board.delete(place);
      else board.set(place, { fault, left: times });
    },
    take(place) {
      const key = board.has(place) ? place : 'all';
      const entry = board.get(key);
      if (entry === undefined) return undefined;
      entry.left -= 1;
      if (entry.left <= 0) board.delete(key);
      return entry.fault;
    },
    clear: () => board.clear(),
  };
}

/**
 * Lets a fault happen to a request.
 * `answered`: nothing is left to do. `proceed`: handle it. `proceed-silently`: handle it, then cut the connection.
 */
export async function applyFault(
  fault: Fault | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<'answered' | 'proceed' | 'proceed-silently'> {
  switch (fault?.kind) {
    case undefined:
      return 'proceed';
    case 'slow':
      // Unreferenced: a test that gave up on the request must not wait for this timer to exit.
      await delay(fault.ms, undefined, { ref: false });
      return request.socket.destroyed ? 'answered' : 'proceed';
    case 'loseReply':
      return 'proceed-silently';
    case 'down':
      request.socket.destroy();
      return 'answered';
    case 'status': {
      const retry = fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) };
      response.writeHead(fault.status, { 'content-type': 'text/plain', ...retry });
      response.end(fault.body ?? `status ${fault.status}\n`);
      return 'answered';
    }
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(
        '<!doctype html><title>Welcome to the hotel</title><p>Accept the terms to go online.</p>\n',
      );
      return 'answered';
    case 'garbage':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"access_token": "abc", "id_tok');
      return 'answered';
  }
}
