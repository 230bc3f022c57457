import assert from 'node:assert/strict';
import { CODES } from '../../lib/core';
import type { FailureKind } from '../../lib/core';
import { classify, codes, exceptionFailure } from './errors';

const EXCEPTIONS: readonly (readonly [number, FailureKind, string, boolean])[] = [
  [1, 'rejected', 'ILLEGAL_FUNCTION', false],
  [2, 'rejected', 'ILLEGAL_ADDRESS', false],
  [3, 'rejected', 'ILLEGAL_VALUE', false],
  [4, 'rejected', 'DEVICE_FAILURE', true],
  [5, 'transient', 'ACKNOWLEDGED', true],
  [6, 'transient', 'DEVICE_BUSY', false],
  [7, 'rejected', 'NEGATIVE_ACKNOWLEDGE', false],
  [8, 'transient', 'MEMORY_PARITY', true],
  [10, 'transient', 'GATEWAY_PATH', false],
  [11, 'transient', 'GATEWAY_TARGET', true],
  [99, 'rejected', 'MODBUS_EXCEPTION', true],
];
const NETWORK: readonly (readonly [string, FailureKind, string, boolean])[] = [
  ['ECONNREFUSED', 'disconnected', 'CONNECTION_REFUSED', false],
  ['ETIMEDOUT', 'disconnected', 'CONNECTION_TIMEOUT', false],
  ['EHOSTUNREACH', 'disconnected', 'CONNECTION_TIMEOUT', false],
  ['ENETUNREACH', 'disconnected', 'CONNECTION_TIMEOUT', false],
  ['ENOTFOUND', 'disconnected', 'HOST_NOT_FOUND', false],
  ['EAI_AGAIN', 'disconnected', 'HOST_NOT_FOUND', false],
  ['ECONNRESET', 'disconnected', 'CONNECTION_LOST', true],
  ['EPIPE', 'disconnected', 'CONNECTION_LOST', true],
  ['ECONNABORTED', 'disconnected', 'CONNECTION_LOST', true],
  ['EADDRNOTAVAIL', 'config', 'BAD_CONFIG', false],
];
const SENTENCE = /^\p{Lu}.*[.]$/su;

describe('modbus: names of errors', () => {
  for (const [number, kind, code, reached] of EXCEPTIONS) {
    it(`exception ${number} is ${kind} ${code}`, () => {
      for (const failure of [exceptionFailure(number, 5), classify({ modbusCode: number, message: '' })]) {
        assert.deepEqual([failure.kind, failure.code, failure.reached], [kind, code, reached]);
        assert.match(failure.message, SENTENCE);
        assert.ok(code in codes, 'documented');
      }
    });
  }
  for (const [system, kind, code, reached] of NETWORK) {
    it(`${system} is ${kind} ${code}`, () => {
      const plain = Object.assign(new Error('x'), { code: system });
      for (const error of [plain, { message: '', errno: system }, { message: '', errors: [plain] }]) {
        const failure = classify(error);
        assert.deepEqual([failure.kind, failure.code, failure.reached], [kind, code, reached]);
        assert.match(failure.message, SENTENCE);
        assert.ok(code in CODES, 'documented');
      }
    });
  }

  it('knows what modbus-serial says in words', () => {
    assert.equal(classify({ message: 'Port Not Open', errno: 'ECONNREFUSED' }).code, 'NOT_CONNECTED');
    assert.equal(classify(new Error('Data length error, expected 9 got 7')).code, 'BAD_RESPONSE');
    assert.equal(classify(new Error('Unexpected data error, expected address 1 got 2')).kind, 'disconnected');
    assert.equal(classify(new Error('CRC error')).code, 'BAD_RESPONSE');
  });

  it('leaves anything else to the framework', () => {
    for (const error of [new TypeError('x is not a function'), 'text', null, undefined, 7]) {
      assert.equal(classify(error).kind, 'unclassified');
    }
  });
});
