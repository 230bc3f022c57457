/** What counts as success: statuses, and a field of the body for APIs that answer "200, but failed". */
import { Failure, getPath, parsePath, type Path } from '../../lib/core';
import { decodeBody, excerpt, type ResponseFormat } from './answer';
import type { Answer } from './session';
import { statusFailure } from './status';
import { badConfig } from './template';

export interface SuccessRule {
  readonly statuses: readonly (readonly [from: number, to: number])[];
  readonly check: BodyCheck | undefined;
}
interface BodyCheck {
  readonly kind: 'equals' | 'differs' | 'exists' | 'missing';
  readonly path: Path;
  readonly name: string;
  readonly value: string;
  readonly failsAs: 'rejected' | 'transient';
}
export interface SuccessSettings {
  readonly successStatus: string;
  readonly check: 'none' | BodyCheck['kind'];
  readonly checkPath: string;
  readonly checkValue: string;
  readonly checkFailsAs: BodyCheck['failsAs'];
  readonly response: ResponseFormat;
}

export function compileSuccess(settings: SuccessSettings): SuccessRule {
  const statuses = settings.successStatus.split(',').map(parseRange);
  const { check: kind, checkPath: name, checkValue: value, checkFailsAs: failsAs, response } = settings;
  if (kind === 'none') return { statuses, check: undefined };
  if (response !== 'json') throw badConfig('"Check answer" looks into JSON; set "Response" to JSON.');
  return { statuses, check: { kind, name, value, failsAs, path: parsePath(name) } };
}

function parseRange(text: string): [number, number] {
  const match = /^\s*(\d{3})(?:\s*-\s*(\d{3}))?\s*$/.exec(text);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (!match || from > to) {
    throw badConfig(
      `"Success statuses" holds "${text.slice(0, 40).trim()}"; write statuses such as 200-299, 404.`,
    );
  }
  return [from, to];
}

/** The decoded body of a successful answer; throws a Failure for any other. */
export function accept(
  answer: Answer,
  rule: SuccessRule,
  format: ResponseFormat,
  about: { readonly operation: string; readonly origin: string; readonly nowMs: number },
): unknown {
  const { status, headers, data } = answer;
  if (!rule.statuses.some(([from, to]) => status >= from && status <= to)) {
    throw statusFailure(answer, about.operation, about.origin, about.nowMs);
  }
  if (answer.unread) throw answer.unread;
  const type = headers['content-type'];
  const body = decodeBody(data, format, typeof type === 'string' ? type : '');
  if (rule.check) checkBody(rule.check, body, answer, about.operation);
  return body;
}

/** Undefined for what has no plain text: arrays, objects, null. */
function scalarText(value: unknown): string | undefined {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

function checkBody(check: BodyCheck, body: unknown, answer: Answer, operation: string): void {
  const found = getPath(body, check.path);
  const missing = found === undefined || found === null;
  const equal = (typeof found === 'string' ? found : scalarText(found)) === check.value;
  const good = { equals: equal, differs: !equal, exists: !missing, missing }[check.kind];
  if (good) return;
  const shown = missing ? 'is missing' : `is ${JSON.stringify(found)?.slice(0, 100) ?? 'not JSON'}`;
  const wanted = {
    equals: `"${check.value}"`,
    differs: `not "${check.value}"`,
    exists: 'present',
    missing: 'absent',
  };
  const code = check.failsAs === 'transient' ? 'PEER_ERROR' : 'PEER_REJECTED';
  const text = `${operation} was answered with ${answer.status}, but "${check.name}" ${shown}; success needs it ${wanted[check.kind]}.`;
  throw new Failure(check.failsAs, code, text, {
    details: {
      status: answer.status,
      operation,
      field: check.name,
      body: excerpt(answer.data, 500, answer.credentials),
    },
  });
}
