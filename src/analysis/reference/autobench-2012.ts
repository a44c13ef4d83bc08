/**
 * The one autobench table of the thesis this suite puts to the test (2012; libevent HTTP server with epoll, Linux
 * 2.6.32 as a VMware ESX guest; two client machines, 1000 connections of 100 calls a step). Rates per second, response
 * time in milliseconds, net_io in KB/s. It shows a plateau where the text speaks of a fall.
 */
export const autobench2012 = [
  row(10000, 9750.2, 97.5, 9456.9, 9857.7, 10043.7, 272.6, 5.8, 21348, 0),
  row(15000, 13271, 132.7, 12525.9, 13567.3, 14583.9, 1085.3, 9.9, 29055, 0),
  row(20000, 17219, 172.2, 15761.5, 17865.2, 19968.9, 2975, 18.2, 37699, 0),
  row(25000, 19348, 193.5, 16648.2, 17862.2, 19076.1, 1716.8, 22.2, 42362, 0),
  row(30000, 20025, 200.3, 16879, 18723.7, 20568.4, 2608.8, 29.05, 43843, 0),
  row(35000, 20612, 206.1, 16927.2, 18963.9, 21000.7, 2880.3, 35.25, 45128, 0),
  row(40000, 20771, 207.7, 17054.2, 19382.8, 21711.4, 3293.1, 39.1, 45478, 0),
  row(45000, 20977, 209.7, 17404.6, 19688, 21971.4, 3229.2, 42.9, 45927, 0),
] as const;

export interface AutobenchReference {
  offered: number;
  requests: number;
  connections: number;
  replies: { min: number; avg: number; max: number; stddev: number };
  responseMs: number;
  netKBps: number;
  errorsPercent: number;
}

function row(
  offered: number,
  requests: number,
  connections: number,
  min: number,
  avg: number,
  max: number,
  stddev: number,
  responseMs: number,
  netKBps: number,
  errorsPercent: number,
): AutobenchReference {
  return {
    offered,
    requests,
    connections,
    replies: { min, avg, max, stddev },
    responseMs,
    netKBps,
    errorsPercent,
  };
}
