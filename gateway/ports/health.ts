/** What keeps this process from serving. */
export interface Health {
  /** A sentence for the operator, or null when all is well. */
  unavailable(): Promise<string | null>;
}
