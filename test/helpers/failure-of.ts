import assert from 'node:assert/strict';
import { isFailure, type Failure } from '../../lib/core';

/** The Failure that a promise rejects with; anything else fails the test. */
export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error: unknown = await promise.then(
    () => new Error('It should have failed.'),
    (reason: unknown) => reason,
  );
  assert.ok(isFailure(error), String(error));
  return error;
}
