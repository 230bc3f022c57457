export { openFileStore, type FileStoreOptions } from './store';
