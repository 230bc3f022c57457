import assert from 'node:assert/strict';
import { Scope, type ScopeListener } from './scope';

describe('scope', () => {
  it('tells each listener once, in order, with the reason', () => {
    const scope = new Scope();
    const told: string[] = [];
    scope.onAbort(() => told.push('a'));
    const off = scope.onAbort(() => told.push('b'));
    scope.onAbort((reason) => told.push(reason.code));
    off();
    off();
    assert.equal(scope.listenerCount, 2);
    scope.abort();
    scope.abort();
    assert.deepEqual(told, ['a', 'CANCELLED']);
    assert.equal(scope.listenerCount, 0);
  });

  it('tells a late listener at once', () => {
    const scope = new Scope();
    scope.abort();
    let told = 0;
    scope.onAbort(() => (told += 1))();
    assert.equal(told, 1);
  });

  it('lets a listener remove others and add more while it is told', () => {
    const scope = new Scope();
    const told: string[] = [];
    scope.onAbort(() => {
      told.push('first');
      off();
      scope.onAbort(() => told.push('added'));
    });
    const off = scope.onAbort(() => told.push('removed'));
    scope.abort();
    assert.deepEqual(told, ['first', 'added']);
  });

  it('takes objects as listeners, which leave only the scope that they listen to', () => {
    const told: string[] = [];
    const listener = (name: string): ScopeListener => ({
      ended: (reason) => told.push(`${name} ${reason.code}`),
      scope: undefined,
      previous: undefined,
      next: undefined,
    });
    const [a, b, c, elsewhere] = [listener('a'), listener('b'), listener('c'), listener('elsewhere')];
    const scope = new Scope();
    const other = new Scope();
    other.add(elsewhere);
    for (const one of [a, b, c]) scope.add(one);
    scope.remove(b);
    scope.remove(b);
    scope.remove(elsewhere);
    assert.deepEqual([scope.listenerCount, other.listenerCount], [2, 1]);
    scope.abort();
    assert.deepEqual(told, ['a CANCELLED', 'c CANCELLED']);
    assert.equal(scope.listenerCount, 0);
    scope.add(b);
    assert.equal(told.at(-1), 'b CANCELLED', 'a late one is told at once');
  });

  it('makes a real signal only when asked, aborted when it is', () => {
    const scope = new Scope();
    const { signal } = scope;
    assert.equal(scope.signal, signal);
    scope.abort();
    assert.ok(signal.aborted);
    assert.equal(signal.reason, scope.reason);
    const late = new Scope();
    late.abort();
    assert.ok(late.signal.aborted);
  });

  it('tells every listener, also after one that throws', () => {
    const scope = new Scope();
    let told = 0;
    scope.onAbort(() => {
      throw new Error('broken listener');
    });
    scope.onAbort(() => {
      told += 1;
    });
    scope.abort();
    assert.equal(told, 1);
    assert.equal(scope.signal.aborted, true);
    assert.doesNotThrow(() =>
      scope.onAbort(() => {
        throw new Error('late and broken');
      }),
    );
  });
});
