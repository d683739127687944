/** A form of an HTML page. */
export interface HtmlForm {
  /** Absolute. */
  readonly action: URL;
  readonly method: 'get' | 'post';
  readonly fields: readonly HtmlField[];
  /** Buttons that submit, in the page's order. */
  readonly buttons: readonly HtmlField[];
}

export interface HtmlField {
  readonly name: string;
  readonly value: string;
  /** `text`, `password`, `hidden`, `submit` … */
  readonly type: string;
}

/** Returns the first form of a page; undefined: it has none. */
export function parseForm(html: string, page: URL): HtmlForm | undefined {
  const match = /<form\b([^>]*)>([\s\S]*?)<\/form>/i.exec(html);
  if (match === null) return undefined;
  const form = attributesOf(match[1] ?? '');
  const content = match[2] ?? '';
  const fields: HtmlField[] = [];
  const buttons: HtmlField[] = [];
  for (const [, tag = '', text = ''] of content.matchAll(/<(input|button)\b([^>]*)>/gi)) {
    const attributes = attributesOf(text);
    const button = tag.toLowerCase() === 'button';
    const type = attributes.get('type') ?? (button ? 'submit' : 'text');
    const field = { name: attributes.get('name') ?? '', value: attributes.get('value') ?? '', type };
    (type === 'submit' ? buttons : fields).push(field);
  }
  const method = form.get('method')?.toLowerCase() === 'post' ? 'post' : 'get';
  return { action: new URL(form.get('action') || page, page), method, fields, buttons };
}

function attributesOf(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name = '', quoted, bare] of text.matchAll(/([\w-]+)(?:\s*=\s*(?:"([^"]*)"|([^\s"'>]+)))?/g)) {
    found.set(name.toLowerCase(), unescapeHtml(quoted ?? bare ?? ''));
  }
  return found;
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

function unescapeHtml(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => entities[name] ?? '');
}
