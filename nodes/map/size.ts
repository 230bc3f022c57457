import { isPlain } from './assign';

/** Counts values and long texts, and stops at the limit: cheaper than copying the message to a worker. */
export function sizeOf(value: unknown, limit: number): number {
  let size = 0;
  const stack: unknown[] = [value];
  while (stack.length > 0 && size < limit) {
    const one = stack.pop();
    size += 1;
    if (typeof one === 'string') size += one.length >> 6;
    else if (ArrayBuffer.isView(one)) size += one.byteLength >> 3;
    else if (Array.isArray(one)) {
      size += one.length >> 3;
      if (size < limit) for (const item of one as unknown[]) stack.push(item);
    } else if (isPlain(one)) for (const item of Object.values(one)) stack.push(item);
  }
  return size;
}
