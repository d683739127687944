/**
 * One operation on the operating system's keyring, in a process of its own: keytar can block for ever on
 * a prompt nobody sees, and a locked Secret Service can take the process down with it. The daemon
 * forks this, sends one request, and kills it when it takes too long.
 *
 * `findCredentials` is never called: it crashes the process when the collection is locked.
 */
import './platform/no-debugger.ts';
import {
  KEYRING_SERVICE,
  type KeyringReply,
  type KeyringRequest,
} from './session/stores/keyring-protocol.ts';

process.once('message', (message) => {
  void answer(message as KeyringRequest).then((reply) => {
    process.send?.(reply, () => process.disconnect());
  });
});

async function answer(request: KeyringRequest): Promise<KeyringReply> {
  let keytar: typeof import('keytar');
  try {
    // Loaded here and not above: it needs libsecret, and its absence is an answer like any other.
    ({ default: keytar } = await import('keytar'));
  } catch {
    return {
      ok: false,
      problem: 'absent',
      detail: 'the keyring library could not be loaded (on Linux it needs libsecret-1.so.0)',
    };
  }
  try {
    switch (request.operation) {
      case 'read': {
        const value = await keytar.getPassword(KEYRING_SERVICE, request.account);
        if (value === null) await probe(keytar);
        return { ok: true, value };
      }
      case 'write':
        await keytar.setPassword(KEYRING_SERVICE, request.account, request.value);
        return { ok: true, value: await keytar.getPassword(KEYRING_SERVICE, request.account) };
      case 'remove':
        if (!(await keytar.deletePassword(KEYRING_SERVICE, request.account))) await probe(keytar);
        return { ok: true, value: null };
    }
  } catch (error) {
    return classify(error instanceof Error ? error.message : String(error));
  }
}

/**
 * A locked collection answers "nothing there", like an empty one. Writing is what tells them apart: it
 * rejects when the collection is locked.
 */
async function probe(keytar: typeof import('keytar')): Promise<void> {
  await keytar.setPassword(KEYRING_SERVICE, 'probe', 'probe');
  await keytar.deletePassword(KEYRING_SERVICE, 'probe');
}

/** libsecret's and D-Bus' words for what is wrong; keytar passes on their texts and nothing else. */
function classify(text: string): KeyringReply {
  // A collection that does not exist yet is made by its first unlocking.
  if (/locked|dismissed|prompt|Object does not exist/i.test(text)) {
    return { ok: false, problem: 'locked', detail: 'it is locked' };
  }
  if (/D-?Bus|autolaunch|org\.freedesktop\.secrets|ServiceUnknown|not provided by any|connect/i.test(text)) {
    return { ok: false, problem: 'absent', detail: 'no secret service answers on the session bus' };
  }
  return { ok: false, problem: 'failed', detail: 'the keyring refused the operation' };
}
