/** An invariant that did not hold, with what was sent and what came back. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly sent: string;
  readonly got: string;

  constructor(message: string, sent: Buffer | string = '', got: Buffer | string = '') {
    super(message);
    this.sent = shown(sent);
    this.got = shown(got);
  }
}

/** Most characters of an input that a report shows; the rest can be had by running the iteration again. */
const MOST = 2_000;

/** Bytes as a person can read them, and paste into a test. */
function shown(content: Buffer | string): string {
  const text = JSON.stringify(typeof content === 'string' ? content : content.toString('latin1'));
  return text.length > MOST ? `${text.slice(0, MOST)}… (${text.length} characters)` : text;
}
