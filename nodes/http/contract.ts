import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Contract } from '../../test/contract/types';

export const contract: Contract = {
  connection: ({ host, port }) => ({ baseUrl: `http://${host}:${port}`, healthPath: '/health', headers: [] }),
  tlsConnection: ({ host, port }, ca) => ({ baseUrl: `https://${host}:${port}`, tlsCa: ca }),
  samples: {
    'holdfast-http': [
      { name: 'get', config: { method: 'GET', path: '/orders/A1001' } },
      {
        name: 'post with a key',
        config: { method: 'POST', path: '/readings', idempotency: true },
        msg: { payload: [{ tag: 'press/temperature', value: 78 }] },
      },
      {
        name: 'post once',
        config: { method: 'POST', path: '/orders' },
        msg: { payload: { article: 'flange', quantity: 1 } },
      },
      {
        name: 'pages',
        config: { method: 'GET', path: '/orders/link', paging: 'link', pageOutput: 'joined' },
      },
    ],
  },
  async authRefused() {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(401, { 'www-authenticate': 'Basic realm="contract"' }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
      close: async () => {
        server.closeAllConnections();
        await new Promise<void>((resolve) => server.close(() => resolve()));
      },
    };
  },
};
