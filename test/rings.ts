import { Consumer, Producer, type RingLayout } from '../src/shared/ring-buffer.ts'

/** Byte offset of a test ring's data. */
export const DATA = 1024
/** Type of the records that `put` writes. */
export const TYPE = 7

export interface Ring {
  words: Int32Array
  bytes: Uint8Array
  layout: RingLayout
  producer: Producer
  consumer: Consumer
}

export function newRing(capacityBytes: number, startPosition: number = 0): Ring {
  const buffer = new SharedArrayBuffer(DATA + capacityBytes)
  const layout = {
    tail: 0,
    producerClosed: 1,
    head: 32,
    consumerClosed: 33,
    data: DATA,
    capacityBytes,
  }
  const words = new Int32Array(buffer)
  words[layout.tail] = startPosition
  words[layout.head] = startPosition
  const producer = new Producer(words, layout)
  const consumer = new Consumer(words, layout)
  return { words, bytes: new Uint8Array(buffer), layout, producer, consumer }
}

/** Writes one record whose payload bytes all hold `fill`; returns what `claim` said. */
export function put({ producer, bytes }: Ring, payloadBytes: number, fill: number = 0): number {
  const at = producer.claim(TYPE, payloadBytes)
  if (at < 0) return at
  bytes.fill(fill, at, at + payloadBytes)
  producer.commit()
  return at
}

export function take({ consumer, bytes }: Ring): number[][] {
  const payloads: number[][] = []
  while (consumer.next()) {
    const { payloadOffset, payloadBytes } = consumer
    payloads.push([...bytes.subarray(payloadOffset, payloadOffset + payloadBytes)])
  }
  return payloads
}
