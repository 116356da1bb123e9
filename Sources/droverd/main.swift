// droverd
