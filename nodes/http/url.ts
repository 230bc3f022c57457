/** Addresses that can never leave the configured origin. */
import type { Message } from '../../lib/core';
import { badConfig, badMessage, compileTemplate, render, type Template } from './template';

/** Where a connection sends its requests. */
export interface Base {
  /** `https://api.example.com:8443`; never with credentials. */
  readonly origin: string;
  /** Path before every request path, without the last slash: `/api/v1` or ''. */
  readonly prefix: string;
  readonly secure: boolean;
  readonly hostname: string;
  readonly port: number;
}

const CONTROL = /[\u0000-\u0020\u007f\\]/;
/**
 * Dot segments, also when a peer would decode them later (RFC 3986 section 5.2.4), or would first drop what stands
 * behind a semicolon, as Java servers do.
 */
const DOTS = /(?:^|\/|%2f|%5c)(?:\.|%2e){1,2}(?:$|[/?#;]|%2f|%5c|%3b)/i;

export function parseBase(text: string, label = 'Base URL'): Base {
  const url = parseOrigin(text, label);
  if (url.search || url.hash) throw badConfig(`"${label}" must end before "?" and "#".`);
  return {
    origin: url.origin,
    prefix: url.pathname.replace(/\/+$/, ''),
    secure: url.protocol === 'https:',
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)),
  };
}

/** An http or https address without user name and password. */
export function parseOrigin(text: string, label: string): URL {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw badConfig(`"${label}" is not an address such as https://api.example.com.`);
  }
  if (url.username || url.password) {
    throw badConfig(`"${label}" holds a user name or password; enter them in the fields made for them.`);
  }
  return url;
}

/** The path template of a node; it is checked once, so that a call needs no URL parser. */
export function compilePath(text: string): Template {
  const source = text.trim();
  if (/^[a-z][a-z0-9+.-]*:/i.test(source) || source.startsWith('//')) {
    throw badConfig('"Path" is a whole address; give only the path, the origin stands in the connection.');
  }
  const template = compileTemplate(source, 'Path');
  const literal = template.parts.map((part) => (typeof part === 'string' ? part : 'x')).join('');
  if (CONTROL.test(literal)) throw badConfig('"Path" holds a space, a backslash or a control character.');
  if (literal.includes('#')) throw badConfig('"Path" holds a fragment (#), which is never sent to a server.');
  if (DOTS.test(pathOf(literal))) throw badConfig('"Path" holds "." or ".." as a segment.');
  return template;
}

/** Request path for one message: prefix, template, values URL-encoded. */
export function renderPath(template: Template, msg: Message, base: Base): string {
  const text = render(template, msg, 'Path', encodeValue);
  if (template.fixed === undefined && DOTS.test(pathOf(text))) {
    throw badMessage('"Path" would hold "." or ".." as a segment, which leads to another resource.');
  }
  return base.prefix + slash(text);
}

/** `msg.url`: a path below the base URL, or a whole address on its origin. */
export function overridePath(text: string, base: Base): string {
  if (CONTROL.test(text)) throw badMessage('msg.url holds a space, a backslash or a control character.');
  const whole = /^https?:\/\//i.test(text);
  const valid = !text.startsWith('//') && (whole || !/^[a-z][a-z0-9+.-]*:/i.test(text));
  const url = valid ? resolve(whole ? text : base.prefix + slash(text), base.origin) : undefined;
  if (!url || url.origin !== base.origin || url.username || url.password) {
    throw badMessage(`msg.url does not lead to ${base.origin}, the origin of the connection.`);
  }
  if (DOTS.test(pathOf(text)) || !isBelow(url.pathname, base.prefix)) {
    throw badMessage(`msg.url leads out of ${base.origin}${base.prefix}/, the base URL of the connection.`);
  }
  return url.pathname + url.search;
}

/** A link of the peer (next page), put on the configured origin whatever host it names. */
export function rebaseLink(link: string, current: string, base: Base): string | undefined {
  const url = resolve(link, base.origin + current);
  return url && /^https?:$/.test(url.protocol) ? url.pathname + url.search : undefined;
}

/** Replaces query parameters of a request path; the rest of the query stays as it is written. */
export function setQuery(path: string, values: Readonly<Record<string, string | number>>): string {
  const pairs = Object.entries(values).map(([name, value]): [string, string] => [name, String(value)]);
  return addQuery(dropQuery(path, Object.keys(values)), pairs);
}

export function addQuery(path: string, values: readonly [string, string][]): string {
  if (values.length === 0) return path;
  // A plus means a blank only to servers that read queries as forms; OData servers do not.
  const added = new URLSearchParams(values).toString().replace(/\+/g, '%20');
  return `${path}${path.includes('?') ? '&' : '?'}${added}`;
}

/** Takes parameters out again: credentials never stand in a message. */
export function dropQuery(path: string, names: readonly string[]): string {
  if (names.length === 0 || !path.includes('?')) return path;
  const [before = '', query = ''] = split(path);
  const left = query.split('&').filter((pair) => !names.includes(nameOf(pair)));
  return left.length > 0 && query !== '' ? `${before}?${left.join('&')}` : before;
}

function nameOf(pair: string): string {
  const [[name = ''] = []] = new URLSearchParams(pair);
  return name;
}

function split(path: string): [string, string] {
  const at = path.indexOf('?');
  return at < 0 ? [path, ''] : [path.slice(0, at), path.slice(at + 1)];
}

const pathOf = (text: string): string => text.split('?', 1)[0] ?? '';
const slash = (text: string): string => (text === '' || text.startsWith('/') ? text : `/${text}`);
const isBelow = (pathname: string, prefix: string): boolean =>
  prefix === '' || pathname === prefix || pathname.startsWith(`${prefix}/`);

function resolve(text: string, against: string): URL | undefined {
  return URL.canParse(text, against) ? new URL(text, against) : undefined;
}

function encodeValue(value: string, name: string): string {
  if (value === '') throw badMessage(`"Path" needs msg.${name}, which is empty.`, { property: name });
  try {
    return encodeURIComponent(value);
  } catch {
    throw badMessage(`"Path" needs msg.${name}, which is not valid Unicode text.`, { property: name });
  }
}
