/** JSON files of people: changed where they are to change, and otherwise left byte for byte as they are. */
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

/** Where a value is: names from the root. */
export type JsonPath = readonly string[];

export type JsonObject = { [name: string]: unknown };

/** A value and where it belongs. */
export type JsonValue = { path: JsonPath; value: unknown };

/** The object that a text holds; comments are allowed. Undefined when it is none, or has errors. */
export function objectIn(text: string): JsonObject | undefined {
  const root = treeOf(text);
  return root?.type === 'object' ? (getNodeValue(root) as JsonObject) : undefined;
}

/** A name that an object has twice on the way to one of the paths: whoever reads it takes one or the other. */
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

/** What is on the way to a path and is no object, so that nothing can be put into it. */
export function obstacleOn(root: JsonObject, path: JsonPath): string | undefined {
  for (let depth = 1; depth < path.length; depth += 1) {
    const value = valueAt(root, path.slice(0, depth));
    if (value !== undefined && !isObject(value)) return path.slice(0, depth).join('.');
  }
  return undefined;
}

/** Undefined when there is nothing. */
export function valueAt(root: JsonObject, path: JsonPath): unknown {
  let value: unknown = root;
  for (const name of path) {
    value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}

/** The text with a value at a path, or without one there when it is undefined. */
export function withValue(text: string, path: JsonPath, value: unknown): string {
  const mark = text.startsWith('\ufeff') ? '\ufeff' : '';
  const json = text.slice(mark.length);
  // What is added is indented like the rest. Where nothing is, or goes, the lines around it stay as they are.
  const indented = value !== undefined && json.trimEnd().includes('\n');
  const options = indented ? { formattingOptions: formatOf(json) } : {};
  return mark + applyEdits(json, modify(json, [...path], value, options));
}

export function isSameJson(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(one, other);
}

/** Each value in nested objects with its path; a list is one value. */
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
    // Nested deeper than the parser goes.
    return undefined;
  }
}

function nameOf(property: Node): unknown {
  return property.children?.[0]?.value;
}

/** How the file is indented, for what it does not have yet. */
function formatOf(json: string): { insertSpaces: boolean; tabSize: number; eol: string } {
  const indent = /^([ \t]+)"/m.exec(json)?.[1] ?? '  ';
  const tabs = indent.startsWith('\t');
  const eol = json.includes('\r\n') ? '\r\n' : '\n';
  return { insertSpaces: !tabs, tabSize: tabs ? 1 : indent.length, eol };
}
