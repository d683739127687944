/** Edits of users' JSON files. All other bytes of the file stay the same. */
import { isDeepStrictEqual } from 'node:util';
import {
  applyEdits,
  findNodeAtLocation,
  getNodeValue,
  modify,
  type Node,
  type ParseError,
  parseTree,
} from 'jsonc-parser';
import { isObject } from '../../protocol/json.ts';

/** Names from the root to a value. */
export type JsonPath = readonly string[];

export type JsonObject = { [name: string]: unknown };

/** A value with its path. */
export type JsonValue = { path: JsonPath; value: unknown };

/** Parses a JSON object; comments are allowed. Undefined for other values and for errors. */
export function objectIn(text: string): JsonObject | undefined {
  const root = treeOf(text);
  return root?.type === 'object' ? (getNodeValue(root) as JsonObject) : undefined;
}

/** Returns a duplicate name on one of the paths: parsers differ in the value they use. Undefined if there is none. */
export function doubledName(text: string, paths: readonly JsonPath[]): string | undefined {
  const root = treeOf(text);
  for (const path of paths) {
    for (let depth = 0; depth < path.length; depth += 1) {
      const object = root && findNodeAtLocation(root, path.slice(0, depth));
      const names = object?.type === 'object' ? (object.children ?? []).map(nameOf) : [];
      if (names.filter((name) => name === path[depth]).length > 1) return path.slice(0, depth + 1).join('.');
    }
  }
  return undefined;
}

/** Returns the first part of a path that is not an object, so that no value can be set there. */
export function obstacleOn(root: JsonObject, path: JsonPath): string | undefined {
  for (let depth = 1; depth < path.length; depth += 1) {
    const value = valueAt(root, path.slice(0, depth));
    if (value !== undefined && !isObject(value)) return path.slice(0, depth).join('.');
  }
  return undefined;
}

/** Returns the value at a path; undefined if there is none. */
export function valueAt(root: JsonObject, path: JsonPath): unknown {
  let value: unknown = root;
  for (const name of path) {
    value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}

/** Returns the text with a value at a path; undefined removes the value. */
export function withValue(text: string, path: JsonPath, value: unknown): string {
  const mark = text.startsWith('\ufeff') ? '\ufeff' : '';
  const json = text.slice(mark.length);
  // New values are indented like the rest. One-line files and removals keep the lines around them.
  const indented = value !== undefined && json.trimEnd().includes('\n');
  const options = indented ? { formattingOptions: formatOf(json) } : {};
  return mark + applyEdits(json, modify(json, [...path], value, options));
}

export function isSameJson(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(one, other);
}

/** Returns each value in nested objects with its path. A list is one value. */
export function valuesIn(root: JsonObject, above: JsonPath = []): JsonValue[] {
  return Object.entries(root).flatMap(([name, value]) => {
    const path = [...above, name];
    return isObject(value) && Object.keys(value).length > 0 ? valuesIn(value, path) : [{ path, value }];
  });
}

function treeOf(text: string): Node | undefined {
  const errors: ParseError[] = [];
  try {
    const root = parseTree(text.replace(/^\ufeff/, ''), errors);
    return errors.length === 0 ? root : undefined;
  } catch {
    // Nested too deeply for the parser.
    return undefined;
  }
}

function nameOf(property: Node): unknown {
  return property.children?.[0]?.value;
}

/** Detects the indentation and the line breaks of a file, for values that are added. */
function formatOf(json: string): { insertSpaces: boolean; tabSize: number; eol: string } {
  const indent = /^([ \t]+)"/m.exec(json)?.[1] ?? '  ';
  const tabs = indent.startsWith('\t');
  const eol = json.includes('\r\n') ? '\r\n' : '\n';
  return { insertSpaces: !tabs, tabSize: tabs ? 1 : indent.length, eol };
}
