/**
 * Runs one operation on the operating system's keyring in a process of its own. keytar can block for ever on
 * an invisible prompt, and a locked Secret Service can crash the process. The daemon forks this program, sends
 * one request, and kills it after a time limit.
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
    // Imported here: it needs libsecret, whose absence becomes a reply.
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
 * Throws when the collection is locked. Reading and removing treat a locked collection like an empty one;
 * only a write rejects.
 */
async function probe(keytar: typeof import('keytar')): Promise<void> {
  await keytar.setPassword(KEYRING_SERVICE, 'probe', 'probe');
  await keytar.deletePassword(KEYRING_SERVICE, 'probe');
}

/** Returns the problem named in an error text of libsecret or D-Bus; keytar passes on nothing else. */
function classify(text: string): KeyringReply {
  // A collection that does not exist yet is created when it is first unlocked.
  if (/locked|dismissed|prompt|Object does not exist/i.test(text)) {
    return { ok: false, problem: 'locked', detail: 'it is locked' };
  }
  if (/D-?Bus|autolaunch|org\.freedesktop\.secrets|ServiceUnknown|not provided by any|connect/i.test(text)) {
    return { ok: false, problem: 'absent', detail: 'no secret service answers on the session bus' };
  }
  return { ok: false, problem: 'failed', detail: 'the keyring refused the operation' };
}
