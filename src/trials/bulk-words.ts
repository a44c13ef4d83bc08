/** Words of figures that one transfer and a sequence of them have in common. */
export const bulkWords = {
  rate: {
    id: 'transfer-rate',
    title: 'Goodput of all streams',
    unit: 'MB/s',
    better: 'higher',
    digits: 1,
  },
  cpu: {
    id: 'transfer-cpu',
    title: 'Cost of a GB, CPU of both ends',
    unit: 's',
    better: 'lower',
    digits: 3,
  },
  resent: {
    id: 'transfer-resent',
    title: 'Segments sent again per MB',
    unit: '',
    better: 'neither',
    digits: 3,
    meaning: '',
  },
} as const;
