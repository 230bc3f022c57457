export * from './certificate';
export * from './fault';
export * from './tcp';
export * from './tls';
export * from './udp';
