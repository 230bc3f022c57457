import { Scope } from '../../lib/core';
import { defineAdapter, type Result } from '../../lib/roles';
import { afterActing } from './classify';
import { connector } from './connector';
import { fetchPages, joinPages, patchOf, separatePages, within, type Fetch } from './pages';
import {
  buildRequest,
  cacheKeyOf,
  compilePlan,
  effectOf,
  operationOf,
  pageRequest,
  timeoutOf,
} from './request';
import { fields } from './request-fields';
import { accept } from './success';

export const adapter = defineAdapter({
  type: 'holdfast-http',
  version: 1,
  label: 'http',
  summary:
    'Calls an HTTP API and gives back what it answers: JSON, text or bytes, page by page where needed.',
  details: `
Sets \`msg.payload\`, \`msg.statusCode\`, \`msg.responseHeaders\` and \`msg.responseUrl\`; with paging also
\`msg.pages\` and \`msg.truncated\`. An answer outside the success condition fails the message, and \`msg.failure\`
says why.

A message can replace the settings: \`msg.method\`, \`msg.url\` (a path, or an address on the connection's origin),
\`msg.query\`, \`msg.headers\` and \`msg.payload\`.

A request that timed out may have reached the server. GET, HEAD, OPTIONS, PUT and DELETE are repeated. POST and PATCH
end as *outcome unknown*, unless **Send idempotency key** is on and the server understands it.
`,
  connector,
  fields,
  codes: { TOO_MANY_PAGES: 'A list is longer than the limits on pages or items allow.' },

  prepare: compilePlan,
  effect: effectOf,
  cacheKey: cacheKeyOf,
  operation: operationOf,

  async call({ values, msg, session, prepared: plan, call, clock }): Promise<Result> {
    const { http } = session;
    const request = buildRequest(values, msg, plan, http.base, call.key);
    const about = { operation: operationOf(values), origin: http.base.origin, nowMs: clock.now() };
    const { paging, success } = plan;
    if (!paging) {
      const answer = await http.send(request, call.scope);
      return patchOf(answer, accept(answer, success, values.response, about));
    }
    const way = { scope: call.scope };
    const one: Fetch = async (path, index) => {
      const page = pageRequest(request, values, http.clean(path), index);
      // Pages that outlive the call have no timeout but this one.
      const answer =
        way.scope === call.scope
          ? await http.send(page, call.scope)
          : await within(timeoutOf(values), clock, way.scope, (scope) => http.send(page, scope));
      return { answer, body: accept(answer, success, 'json', about) };
    };
    const fetch: Fetch = async (path, index) => {
      try {
        return await one(path, index);
      } catch (error) {
        // The pages before this one were asked for: a repeat would begin with the first.
        throw index > 0 && effectOf(values) === 'once' ? afterActing(error) : error;
      }
    };
    const pages = fetchPages(fetch, request.path, paging, http.base, values);
    if (values.pageOutput === 'joined') return joinPages(pages, request.maxBytes);
    // The first page belongs to this call and its policies; the others outlive it.
    const first = await pages.next();
    way.scope = new Scope();
    return { chunks: separatePages(first, pages, way.scope), paced: values.pageOutput === 'paced' };
  },
});
