{:executor :host
 :jobs (unknown)
