{:executor :host
 :jobs (unknown)}
