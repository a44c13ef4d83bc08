export * from 'dispatchbench/dgram-benchmark';
export { default } from 'dispatchbench/dgram-benchmark';
