import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/**
 * One program with all that it imports, made by ncc; what it loads only when it is needed in files beside it.
 *
 * @param {string} entry compiled file
 * @param {string} output
 * @param {readonly string[]} externals packages that the program looks for where it is
 * @returns {Promise<Iterable<string>>} the files that it was made of
 */
export async function bundle(entry, output, externals) {
  const ncc = require('@vercel/ncc');
  const { code, assets, stats } = await ncc(entry, {
    cache: false,
    quiet: true,
    sourceMap: false,
    externals,
    // Readable on purpose: those who must trust it will read it.
    minify: false,
  });
  // Parts are named by number in the program; another program's would have the same names.
  const own = `${basename(output, '.js')}.part.js`;
  write(output, oneByteText(code).replaceAll('".index.js"', `".${own}"`));
  for (const [name, { source }] of Object.entries(assets)) {
    if (name === 'package.json') continue;
    const part = /^(\d+)\.index\.js$/.exec(name)?.[1];
    const text = part === undefined ? source : oneByteText(String(source));
    write(join(dirname(output), part === undefined ? name : `${part}.${own}`), text);
  }
  write(join(dirname(output), 'package.json'), '{ "type": "module" }\n');
  return stats.compilation.fileDependencies;
}

/**
 * Keeps characters beyond Latin-1 as escapes: a single one of them would make the engine hold the whole
 * program in memory with two bytes for each character.
 * @param {string} code
 */
function oneByteText(code) {
  return code.replace(/[\u0100-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** @param {string} path @param {string | Uint8Array} content */
function write(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
