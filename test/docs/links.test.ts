import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { PROGRAM_COMMANDS } from '../../tools/docs/help.ts';
import { fences, pages, prose, ROOT, readText, repositoryFiles } from '../../tools/docs/pages.ts';

const SCRIPTS = Object.keys((JSON.parse(readText('package.json')) as { scripts: object }).scripts);

/** The names GitHub gives a page's headings, for links to them. */
function anchors(markdown: string): string[] {
  return [...prose(markdown).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );
}

function linksOf(markdown: string): string[] {
  const text = prose(markdown);
  return [
    ...text.matchAll(/\]\(([^)\s]+)\)/g),
    ...text.matchAll(/<(?:img|source|a)\b[^>]*?\b(?:src|srcset|href)="([^"\s]+)"/g),
  ].map(([, target = '']) => target);
}

t.test('every relative link and image leads to something', async (t) => {
  for (const page of pages()) {
    const relative = linksOf(readText(page)).filter((target) => !/^[a-z]+:/.test(target));
    for (const target of relative) {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      t.ok(existsSync(join(ROOT, file)), `${page}: ${target}`);
      if (anchor !== undefined) t.ok(anchors(readText(file)).includes(anchor), `${page}: ${target}`);
    }
  }
});

t.test('every picture in docs/images is on a page', async (t) => {
  const shown = new Set(
    pages().flatMap((page) => linksOf(readText(page)).map((target) => join(dirname(page), target))),
  );
  const pictures = repositoryFiles('docs/images').filter((path) => !shown.has(path));
  t.strictSame(pictures, []);
});

t.test('every source file and folder that a page names exists', async (t) => {
  const path =
    /`((?:protocol|common|network|daemon|shim|admin|infra|sandbox|tools|test|scripts)\/[\w./-]+)`/g;
  for (const page of pages().filter((page) => page !== 'CHANGELOG.md')) {
    const named = [...prose(readText(page)).matchAll(path)].map(([, name = '']) => name);
    for (const name of named.filter((name) => !/[A-Z]|node_modules/.test(name)))
      t.ok(existsSync(join(ROOT, name)), `${page}: ${name}`);
  }
});

t.test('every npm script that a page mentions exists', async (t) => {
  for (const page of pages()) {
    for (const [, name = ''] of readText(page).matchAll(/\bnpm run ([a-z]+(?:[:-][a-z]+)*)/g)) {
      t.ok(SCRIPTS.includes(name), `${page}: npm run ${name}`);
    }
  }
});

t.test("the README's commands are npm, its scripts, and ccwb's", async (t) => {
  const lines = fences(readText('README.md'))
    .filter(({ language }) => ['', 'sh', 'bash', 'shell', 'console'].includes(language))
    .flatMap(({ text }) => text.split('\n'))
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter(Boolean);
  t.ok(lines.length >= 2);
  for (const command of lines.flatMap((line) => line.split(' && '))) {
    const [, script = ''] = /^npm (?:run )?([\w:-]+)/.exec(command) ?? [];
    const [program] = /^ccwb [a-z]+/.exec(command) ?? [''];
    t.ok(['ci', ...SCRIPTS].includes(script) || PROGRAM_COMMANDS.includes(program), command);
  }
});

/** Examples are in the homes of jane and ada; any other is on somebody's machine. */
const TRACES: Readonly<Record<string, RegExp>> = {
  'a home': /\/(?:home|Users)\/(?!(?:jane|ada)\b)[\w.-]+\/|(?:^|[\s"'`=(])\/root\//,
  'a working folder': /(?:^|[\s"'`=(])\/(?:work|workspace|builds)\//,
  'a temporary folder': /\/tmp\/(?:tmp\.|ccwb-)[A-Za-z0-9]{6}/,
  'a registry': /https?:\/\/[^\s"'`)]*(?:registry|artifactory|nexus|jfrog|verdaccio)|"resolved": ?"http/,
};

t.test('no text file names a machine, a home or a registry', async (t) => {
  const found = repositoryFiles().flatMap((path) => {
    const bytes = readFileSync(join(ROOT, path));
    if (bytes.includes(0)) return [];
    const lines = bytes.toString('utf8').split('\n');
    return Object.entries(TRACES).flatMap(([what, trace]) =>
      lines.flatMap((line, index) => (trace.test(line) ? [`${path}:${index + 1} names ${what}`] : [])),
    );
  });
  t.strictSame(found, []);
});
