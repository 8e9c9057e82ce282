//! Every metric family: name, help, labels and buckets, registered in one function.
