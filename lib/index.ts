/**
 * What other packages may import: the shapes that every node speaks, and what a component is declared with.
 */
export * from './core';
export * from './spec';
export * from './roles';
