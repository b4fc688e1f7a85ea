/** Whether this process can serve. */
export interface Health {
  /** Gives a sentence that says why it cannot, or null. */
  unavailable(): Promise<string | null>;
}
