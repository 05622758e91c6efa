// Test support: how far a figure may be from what is promised of it.
export { promisedMs } from '@powernode/core/testing/quiet';
