import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { changeFields, cutReply, delayReply, drip, pour, relabelReply } from './replies.ts';

/** Faults between a client and a server, independent of the service. */
export type Fault =
  /** The connection is closed before the request is handled. */
  | { readonly kind: 'down' }
  /** The same, with a reset instead of an end. */
  | { readonly kind: 'reset' }
  /**
   * An answer with this status and body. `retryAfter` in seconds (RFC 9110 §10.2.3); `contentType` default
   * text/plain.
   */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly retryAfter?: number;
      readonly body?: string;
      readonly contentType?: string;
    }
  /** 302 to another address, like a network that needs its own sign-in first. */
  | { readonly kind: 'redirect'; readonly location: string }
  /** A captive portal: 200 and an HTML page. */
  | { readonly kind: 'html' }
  /** The request is handled after this many milliseconds. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** 200, `application/json`, and one byte per this many milliseconds, without end. */
  | { readonly kind: 'drip'; readonly ms: number }
  /** 200, `application/json`, and this many meaningless bytes. */
  | { readonly kind: 'huge'; readonly bytes: number }
  /** The request takes full effect, then the connection is cut instead of an answer. */
  | { readonly kind: 'loseReply' }
  /** The request takes full effect, then the connection is cut in the middle of the answer. */
  | { readonly kind: 'cutReply' }
  /** The request takes full effect, and the answer comes after this many milliseconds. */
  | { readonly kind: 'slowReply'; readonly ms: number }
  /** The true answer with these fields of its JSON object changed; `undefined` removes a field. */
  | { readonly kind: 'fields'; readonly fields: Readonly<Record<string, unknown>> }
  /** The true answer under another content type. */
  | { readonly kind: 'relabel'; readonly contentType: string }
  /** 200, `application/json`, and a body that ends half-way. */
  | { readonly kind: 'garbage' };

/** Faults by endpoint or operation; `all` applies to every one without its own fault. */
export interface FaultBoard<Place extends string, Kind> {
  /** @param fault absent: removes the fault. @param times number of requests; absent: until changed */
  set(place: Place | 'all', fault?: Kind, times?: number): void;
  /** Returns the fault of a request that arrives now, and counts it. */
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
 * Applies a fault to a request.
 * `answered`: the request is complete. `proceed`: handle it. `proceed-silently`: handle it, then close the connection.
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
    case 'cutReply':
      cutReply(response);
      return 'proceed';
    case 'slowReply':
      delayReply(response, fault.ms);
      return 'proceed';
    case 'fields':
      changeFields(response, fault.fields);
      return 'proceed';
    case 'relabel':
      relabelReply(response, fault.contentType);
      return 'proceed';
    case 'down':
      request.socket.destroy();
      return 'answered';
    case 'reset':
      request.socket.resetAndDestroy();
      return 'answered';
    case 'redirect':
      response.writeHead(302, { location: fault.location });
      response.end();
      return 'answered';
    case 'drip':
      drip(response, fault.ms);
      return 'answered';
    case 'huge':
      pour(response, fault.bytes);
      return 'answered';
    case 'status': {
      const retry = fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) };
      response.writeHead(fault.status, { 'content-type': fault.contentType ?? 'text/plain', ...retry });
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
